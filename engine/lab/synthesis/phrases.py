"""Prompts at word level for every action class: some to train with, others to test with.

No held-out phrase is a training phrase of any class; most use other words for the deed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """Prompts at word level that mean the same.

    Attributes:
        training: those that training draws from.
        held_out: those that only tests use.
    """

    training: tuple[str, ...]
    held_out: tuple[str, ...]


ABNORMAL: dict[str, Phrases] = {
    "running": Phrases(
        (
            "person running", "running person", "someone running away", "man running fast",
            "a person sprinting", "people running", "person rushing through", "woman running",
        ),
        (
            "jogger", "pedestrian dashing across", "somebody in a hurry racing off",
            "individual fleeing on foot", "person bolting",
        ),
    ),
    "cycling": Phrases(
        (
            "person riding a bicycle", "cyclist", "bicycle", "someone cycling", "bike rider",
            "man on a bike", "person on a bicycle", "riding a bike",
        ),
        (
            "a cyclist pedalling along", "biker on two wheels", "woman pedalling a bike",
            "somebody on a pushbike", "bicyclist passing",
        ),
    ),
    "skating": Phrases(
        (
            "person skating", "skateboarder", "person on a skateboard", "someone on roller skates",
            "inline skater", "skater", "person rolling on skates", "riding a skateboard",
        ),
        (
            "a skater gliding by", "boy on a longboard", "somebody rollerblading",
            "person standing on a rolling board", "roller skater passing",
        ),
    ),
    "driving": Phrases(
        (
            "vehicle", "car", "driving car", "moving vehicle", "cart", "golf cart", "van",
            "vehicle driving among people", "car in a pedestrian area", "small truck",
        ),
        (
            "automobile", "motor vehicle on the footpath", "buggy driving through",
            "lorry where people walk", "someone driving",
        ),
    ),
    "falling": Phrases(
        (
            "person falling", "falling person", "someone falls down", "man falling to the ground",
            "person collapsing", "a person trips and falls", "woman falling over",
        ),
        (
            "pedestrian tumbling", "somebody losing balance and going down", "individual slumping",
            "a stumble and a fall", "person dropping to the floor",
        ),
    ),
    "lying": Phrases(
        (
            "person lying on the ground", "lying person", "someone lies on the floor",
            "man lying down", "motionless person on the ground", "unconscious person",
            "body on the ground",
        ),
        (
            "individual stretched out on the pavement", "somebody laid out on the floor",
            "a person sprawled on the ground", "man down", "pedestrian who does not get up",
        ),
    ),
    "fighting": Phrases(
        (
            "people fighting", "fight", "two people fighting", "person hitting another person",
            "violent assault", "brawl", "someone punching and kicking", "person attacking someone",
        ),
        (
            "two men exchanging blows", "a scuffle", "physical altercation",
            "individuals beating each other", "somebody being struck",
        ),
    ),
    "leaving": Phrases(
        (
            "abandoned bag", "person leaving an object", "unattended luggage", "left suitcase",
            "someone puts down a bag and leaves", "abandoned object", "forgotten backpack",
        ),
        (
            "suspicious package", "ownerless baggage on the ground",
            "somebody dropping a parcel and walking off", "a case left behind",
        ),
    ),
    "against": Phrases(
        (
            "person walking against the crowd", "walking in the wrong direction",
            "person going against the stream", "wrong way walker",
            "someone walking against the flow", "person moving opposite to everyone else",
        ),
        (
            "pedestrian heading the opposite way", "somebody pushing through oncoming people",
            "individual going counter to the current", "one who walks contrary to the rest",
        ),
    ),
    "loitering": Phrases(
        (
            "person loitering", "someone pacing back and forth", "loiterer",
            "person hanging around", "man walking to and fro", "suspicious person waiting around",
        ),
        (
            "individual lingering aimlessly", "somebody prowling about",
            "person who roams in place", "a man dawdling up and down",
        ),
    ),
}  # fmt: skip
"""What abnormal targets do, by action class."""

NORMAL: dict[str, Phrases] = {
    "walking": Phrases(
        (
            "person walking", "pedestrian", "people walking", "someone strolling", "walking person",
            "man walking", "woman walking", "pedestrians crossing",
        ),
        (
            "passer-by", "somebody on foot", "individual taking a walk", "people strolling along",
        ),
    ),
    "standing": Phrases(
        (
            "person standing", "people talking", "someone waiting", "standing people",
            "group of people standing", "person standing still",
        ),
        (
            "individuals chatting", "somebody who waits", "bystander", "people having a talk",
        ),
    ),
    "sitting": Phrases(
        (
            "person sitting on a bench", "sitting person", "seated people", "someone sitting",
            "person resting on a bench", "man sitting",
        ),
        (
            "seated individual", "somebody taking a seat", "person at rest on a seat",
            "woman on a bench",
        ),
    ),
    "pushing a bicycle": Phrases(
        (
            "person pushing a bicycle", "walking beside a bike", "someone pushes a bike",
            "person walking with a bicycle", "bicycle being pushed", "man walking his bike",
        ),
        (
            "individual wheeling a cycle", "pedestrian with a bike at the side",
            "somebody leading a bicycle by hand", "woman who walks her pushbike",
        ),
    ),
    "with wheels": Phrases(
        (
            "person with a trolley", "person pushing a pushchair", "someone pulling a suitcase",
            "shopping cart", "mother with a pram", "traveller with luggage",
        ),
        (
            "parent wheeling a stroller", "individual drawing a wheeled case",
            "shopper with a basket on wheels", "somebody pushing a buggy for babies",
        ),
    ),
    "under an umbrella": Phrases(
        (
            "person with an umbrella", "umbrella", "people under umbrellas",
            "someone holding an umbrella", "walking under an umbrella", "open umbrella",
        ),
        (
            "individual sheltered by a parasol", "pedestrian below a brolly",
            "somebody protected from rain", "woman carrying a raised umbrella",
        ),
    ),
    "with a dog": Phrases(
        (
            "person walking a dog", "dog on a lead", "someone with a dog", "dog", "man and his dog",
            "woman walking her dog",
        ),
        (
            "individual out with a pet", "owner and hound", "somebody exercising a puppy",
            "pet on a leash",
        ),
    ),
    "walking fast": Phrases(
        (
            "person walking fast", "brisk walker", "someone walking quickly", "fast pedestrian",
            "person striding", "man walking briskly",
        ),
        (
            "commuter with quick steps", "individual marching along", "somebody at a smart pace",
            "woman striding out",
        ),
    ),
    "parked": Phrases(
        (
            "parked car", "parked vehicle", "stationary car", "car standing still", "parked van",
            "empty parked car",
        ),
        (
            "automobile at rest", "vehicle without driver", "car left in its bay",
            "unmoving van at the kerb",
        ),
    ),
}  # fmt: skip
"""What normal targets do, by action class."""

CLASSES: tuple[str, ...] = (*ABNORMAL, *NORMAL)
"""All action classes."""

ACTIONS: dict[str, str] = {
    "running": "running", "cycling": "riding a bicycle", "skating": "skating",
    "driving": "driving", "falling": "falling to the ground", "lying": "lying on the ground",
    "fighting": "fighting", "leaving": "leaving an object behind",
    "against": "walking against the stream", "loitering": "loitering", "walking": "walking",
    "standing": "standing", "sitting": "sitting", "pushing a bicycle": "pushing a bicycle",
    "with wheels": "walking with something on wheels",
    "under an umbrella": "walking under an umbrella", "with a dog": "walking a dog",
    "walking fast": "walking fast", "parked": "standing parked",
}  # fmt: skip
"""What the truth says a target of a class does."""


def paraphrases(class_name: str, held_out: bool = False) -> tuple[str, ...]:
    """Returns the prompts at word level of a class.

    Args:
        class_name: one of `CLASSES`.
        held_out: whether those that only tests use are meant.

    Raises:
        KeyError: there is no such class.
    """
    phrases = ABNORMAL[class_name] if class_name in ABNORMAL else NORMAL[class_name]
    return phrases.held_out if held_out else phrases.training
