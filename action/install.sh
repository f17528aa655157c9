#!/usr/bin/env bash
# Installs the program: from a release, its checksum verified, else from the action's own checkout.
#
# The action's own version decides which, unless the workflow names a release. Nothing of the
# repository under check takes part.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=action/lib.sh
. "$root/action/lib.sh"

wanted=${TIDEWAITER_VERSION:-}
ref=${TIDEWAITER_ACTION_REF:-}
repository=${TIDEWAITER_ACTION_REPOSITORY:-}
own=$(sed -n '/^version = "/{s/^version = "\(.*\)"$/\1/p;q;}' "$root/Cargo.toml")
folder=$(private_folder)

full='^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$'
moving='^v[0-9]+(\.[0-9]+)?$'
commit='^[0-9a-f]{40}$'

release=""      # the release to install; empty to build
of_commit=""    # the commit that it must be built from
must=false      # whether nothing else will do
if [ "$wanted" = source ]; then
    :
elif [ -n "$wanted" ]; then
    [[ $wanted =~ $full ]] || fail "the input \`version\` is \`$wanted\`: write a release such as \`v$own\`, or \`source\`"
    release=${wanted#v}
    [ "$release" = "$own" ] || must=true
elif [[ $ref =~ $full ]]; then
    # A tag that disagrees with its own sources is not trusted to name a release.
    if [ "${ref#v}" = "$own" ]; then release=$own; fi
elif [[ $ref =~ $moving ]]; then
    case "$own." in "${ref#v}".*) release=$own ;; esac
elif [[ $ref =~ $commit ]]; then
    release=$own
    of_commit=$ref
fi

case "${RUNNER_OS:-}-${RUNNER_ARCH:-}" in
    Linux-X64) target=x86_64-unknown-linux-musl ;;
    Linux-ARM64) target=aarch64-unknown-linux-musl ;;
    macOS-X64) target=x86_64-apple-darwin ;;
    macOS-ARM64) target=aarch64-apple-darwin ;;
    # Windows on ARM runs programs of the other kind.
    Windows-*) target=x86_64-pc-windows-msvc ;;
    *) target="" ;;
esac
program=tidewaiter
case "${RUNNER_OS:-}" in Windows) program=tidewaiter.exe ;; esac

fetch() {
    curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location --retry 3 \
        --max-time 300 --output "$folder/$1" \
        "$GITHUB_SERVER_URL/$repository/releases/download/v$release/$1"
}

sha256() {
    if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi |
        cut -d ' ' -f 1
}

# Prints what the list of checksums says of a file; nothing if it does not list the file once.
listed() {
    awk -v name="$1" '
        $2 == name || $2 == "*" name { sum = $1; lines++ }
        END { if (lines == 1 && sum ~ /^[0-9a-f]+$/ && length(sum) == 64) print sum }
    ' "$folder/SHA256SUMS"
}

# Refuses a file that is not the one that the release lists.
verify() {
    local sum
    sum=$(listed "$1")
    if [ -z "$sum" ] || [ "$(sha256 "$folder/$1")" != "$sum" ]; then
        fail "the checksum of \`$1\` of release v$release is wrong, so it is not installed"
    fi
}

# Installs the release; fails, having said why, where there is none for this runner.
install_release() {
    local archive=tidewaiter-v$release-$target.tar.gz
    if [ -z "$target" ]; then
        echo "there is no release for ${RUNNER_OS:-this system} on ${RUNNER_ARCH:-this processor}"
        return 1
    fi
    if ! [[ $repository =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]]; then
        echo "the action is used from a folder, so it has no releases"
        return 1
    fi
    if ! fetch SHA256SUMS; then
        echo "release v$release cannot be had"
        return 1
    fi
    if [ -n "$of_commit" ]; then
        if ! fetch COMMIT; then
            echo "release v$release does not say which commit it was built from"
            return 1
        fi
        verify COMMIT
        if [ "$(tr -d '\r\n' <"$folder/COMMIT")" != "$of_commit" ]; then
            echo "release v$release was built from another commit than $of_commit"
            return 1
        fi
    fi
    if [ -z "$(listed "$archive")" ] || ! fetch "$archive"; then
        echo "release v$release has no \`$archive\`"
        return 1
    fi
    verify "$archive"
    tar -xzf "$folder/$archive" -C "$folder" "${archive%.tar.gz}/$program"
    binary=$folder/${archive%.tar.gz}/$program
}

build() {
    command -v cargo >/dev/null 2>&1 ||
        fail "cargo is not installed, and without it the program cannot be built from source"
    # Cargo reads its settings from above the working directory, which must not be the workspace.
    (cd "$root" && cargo build --locked --release --bin tidewaiter --target-dir "$(native_path "$folder/target")")
    binary=$folder/target/release/$program
}

binary=""
if [ -z "$release" ]; then
    build
elif ! install_release; then
    if "$must"; then
        fail "release v$release cannot be installed, and the action's checkout is version $own"
    fi
    build
fi
"$binary" --version
output binary "$binary"
