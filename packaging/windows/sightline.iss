; Inno Setup 6: the installer for Windows, made from dist\sightline\ by
;   iscc /DVersion=0.1.0 packaging\windows\sightline.iss
; Needs no network and no administrator; a user installs for himself, an administrator for all.

#ifndef Version
  #error Name the version: iscc /DVersion=0.1.0 packaging\windows\sightline.iss
#endif

[Setup]
AppId={{6E2B0E0C-6C0B-4B57-9C5A-5B8C1B7B7E51}
AppName=Sightline
AppVersion={#Version}
AppVerName=Sightline {#Version}
DefaultDirName={autopf}\Sightline
DefaultGroupName=Sightline
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
LicenseFile=..\licences\GPL-3.0.txt
OutputDir=..\..\dist
OutputBaseFilename=sightline-{#Version}-windows-x86_64
Compression=lzma2/max
SolidCompression=yes
ChangesAssociations=yes
UninstallDisplayIcon={app}\sightline\sightline.exe
WizardStyle=modern

[Tasks]
Name: desktopicon; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked

[InstallDelete]
; A file of an older version would not be in the manifest, and the self-test would name it.
Type: filesandordirs; Name: "{app}\sightline"

[Files]
; One folder deeper than the uninstaller, whose files the manifest does not name.
Source: "..\..\dist\sightline\*"; DestDir: "{app}\sightline"; Flags: recursesubdirs createallsubdirs ignoreversion

[Icons]
Name: "{group}\Sightline"; Filename: "{app}\sightline\sightline.exe"
Name: "{autodesktop}\Sightline"; Filename: "{app}\sightline\sightline.exe"; Tasks: desktopicon

[Registry]
Root: HKA; Subkey: "Software\Classes\Directory\shell\Sightline"; ValueType: string; ValueName: ""; ValueData: "Open with Sightline"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\Directory\shell\Sightline\command"; ValueType: string; ValueName: ""; ValueData: """{app}\sightline\sightline.exe"" ""%1"""; Flags: uninsdeletekey

[Run]
Filename: "{app}\sightline\sightline.exe"; Description: "{cm:LaunchProgram,Sightline}"; Flags: nowait postinstall skipifsilent
