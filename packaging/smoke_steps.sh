#!/bin/sh
# The steps of smoke.sh: `smoke_steps.sh PROGRAM HOME REGISTRIES`, in a namespace without a network.
# Needs nothing but a shell, Xvfb, xev and xwininfo. With SMOKE_TRACE every socket that the program opens is
# written there by strace; those of the tools here do not count.
set -eu

program=$1
home=$2
expected=$3
case="$home/.local/share/Sightline/Sample.case"
patience=600

bad() { # bad WHAT
    echo "BAD   $1" >&2
    exit 1
}

good() { # good WHAT
    echo "good  $1"
}

now() { # hundredths of a second since the start of the machine
    read -r up _ </proc/uptime
    echo "${up%.*}${up#*.}"
}

seconds() { # seconds START
    took=$(($(now) - $1))
    printf '%d.%02d s' $((took / 100)) $((took % 100))
}

interfaces=$(grep -vc -e '|' -e ' lo:' /proc/net/dev || true)
[ "$interfaces" = 0 ] || bad "there are network interfaces"
good "no network interface"

# Without -noreset the screen begins anew, and is not there for a moment, whenever nobody uses it. It takes
# the first number that is free and writes it when it is there.
Xvfb -displayfd 3 -noreset -screen 0 1600x1000x24 -nolisten tcp 3>"$home/display" >"$home/xvfb.log" 2>&1 &
screen=$!
trap 'kill $screen 2>/dev/null || true' EXIT
waited=0
until [ -s "$home/display" ]; do
    waited=$((waited + 1))
    [ $waited -lt 300 ] || bad "no screen: $(cat "$home/xvfb.log")"
    sleep 0.1
done
DISPLAY=:$(cat "$home/display")
export DISPLAY

start() { # takes the place of the shell
    if [ -n "${SMOKE_TRACE:-}" ]; then
        exec strace -D -f -qq --seccomp-bpf -A -e trace=socket -e signal=none -o "$SMOKE_TRACE" "$program" "$@"
    fi
    exec "$program" "$@"
}

run() {
    (start "$@")
}

run --help >/dev/null || bad "--help"
good "names its commands"

if [ -f "$expected" ]; then
    run registries >"$home/registries.txt" || bad "an entry of a registry is not in the bundle"
    diff "$expected" "$home/registries.txt" || bad "the bundle has other entries than the source tree"
    good "$(wc -l <"$expected") commands, channels, attributes, backbones and data sets, as in the source tree"
fi

analysed() {
    run events --case "$case" --json >"$home/events.json" 2>/dev/null
}

window() { # window NAME: starts it, waits until it is there and the sample is analysed, closes it
    # Asking the screen again and again would take the time that is measured; this one is told.
    xev -root -event substructure >"$home/screen.txt" 2>&1 &
    told=$!
    began=$(now)
    start >"$home/window.txt" 2>&1 &
    window=$!
    until grep -q MapNotify "$home/screen.txt"; do
        kill -0 $window 2>/dev/null || bad "the window ended: $(tail -n 3 "$home/window.txt")"
        sleep 0.1
    done
    good "window there in $(seconds "$began"), $1"
    kill $told
    xwininfo -root -tree | grep -q '"Sightline"' || bad "the window is another program's"
    until analysed; do
        kill -0 $window 2>/dev/null || bad "the window ended: $(tail -n 3 "$home/window.txt")"
        [ $(($(now) - began)) -lt $((patience * 100)) ] || bad "the sample was never analysed"
        sleep 1
    done
    kill -TERM $window
    wait $window || bad "the window ended with $?: $(tail -n 3 "$home/window.txt")"
    good "window closed in good order"
}
window "first start, with the sample case"
window "second start"

video=$(find "$case" -name '*.mp4' | head -n 1)
[ -n "$video" ] || bad "no video in the sample case"
run analyze "$video" --case "$case" --channels scene,text --json --quiet >"$home/analyze.json" ||
    bad "analysis with both channels"
grep -q '"text": {' "$home/analyze.json" || bad "the text channel gave nothing"
evidence=$(sed 's/.*"evidence_id": \([0-9]*\).*/\1/' "$home/analyze.json")
good "sample analysed with both channels"

ask() { # ask QUESTION
    run ask --case "$case" --evidence "$evidence" --json --quiet "$1" >"$home/answer.json" || bad "question: $1"
    if grep -q '"answer": null' "$home/answer.json"; then
        bad "no answer: $1"
    fi
    good "$1 $(sed 's/.*"answer": "\([^"]*\)".*"runtime": "\([^"]*\)".*/\1 (\2)/' "$home/answer.json")"
}
ask "Is there any anomaly in the video?"
ask "Describe anomaly target features."
ask "What is the motion state?"
ask "From where to where?"
ask "Please describe the environment of the video."

run report --case "$case" --to "$home/report.pdf" --quiet >/dev/null || bad "report"
[ "$(head -c 5 "$home/report.pdf")" = "%PDF-" ] || bad "the report is no PDF"
good "report written as PDF, $(wc -c <"$home/report.pdf") bytes"

run verify --case "$case" --json --quiet | grep -q '"ok": true' || bad "the case does not verify"
good "case verified"
run selftest --json --quiet >"$home/selftest.json" || bad "selftest: $(cat "$home/selftest.json")"
good "selftest passed, $(grep -o '"name"' "$home/selftest.json" | wc -l) checks"

# An error that nobody foresaw does not end the window: it is in the log.
errors=$(grep -rh -A 40 -e ERROR -e Traceback "$home/.local/state/Sightline/log" || true)
[ -z "$errors" ] || bad "errors in the log: $errors"
good "no error in the log"
