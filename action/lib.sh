# What the scripts of the action share. Runs with bash 3.2, which macOS has.
# shellcheck shell=bash

# Prints text as the data of a workflow command.
command_data() {
    local text=$1
    text=${text//'%'/%25}
    text=${text//$'\r'/%0D}
    text=${text//$'\n'/%0A}
    printf '%s' "$text"
}

notice() {
    printf '::notice title=Tidewaiter::%s\n' "$(command_data "$1")"
}

warning() {
    printf '::warning title=Tidewaiter::%s\n' "$(command_data "$1")"
}

# Ends the step as one that could not judge.
fail() {
    printf '::error title=Tidewaiter::%s\n' "$(command_data "$1")"
    exit 2
}

# Prints a word that nobody can foresee.
random_word() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# Sets an output of the step. No value can end it early, because nobody can foresee its delimiter.
output() {
    local delimiter
    delimiter=$(random_word)
    printf '%s<<%s\n%s\n%s\n' "$1" "$delimiter" "$2" "$delimiter" >>"$GITHUB_OUTPUT"
}

# Prints a path as this shell has it; Windows has another form for everybody else.
shell_path() {
    if command -v cygpath >/dev/null 2>&1; then cygpath -u "$1"; else printf '%s\n' "$1"; fi
}

# Prints a path as other programs have it.
native_path() {
    if command -v cygpath >/dev/null 2>&1; then cygpath -m "$1"; else printf '%s\n' "$1"; fi
}

# Makes a folder of our own, outside of the workspace, where no file of the change can lie in wait.
private_folder() {
    mktemp -d "$(shell_path "$RUNNER_TEMP")/tidewaiter.XXXXXXXX"
}
