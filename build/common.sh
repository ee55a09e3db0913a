# Sourced by the scripts of this folder: where things lie, and how to stop. Leaves the caller in the repository's root.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Downloads, verified and kept over `make clean`. Elsewhere (EDGENODE_CACHE) where clones come and go, as in CI.
# shellcheck disable=SC2034
cache=${EDGENODE_CACHE:-$PWD/out/cache}

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# Runs a command, and shows what it printed only where it failed.
quietly() {
  local printed
  printed=$("$@" 2>&1 </dev/null) || {
    say "$printed"
    return 1
  }
}

# What a step is made from, as one digest: `state FILE…`. A step writes it to its stamp when it is done.
state() { cat -- "$@" | sha256sum | cut -d ' ' -f 1; }

# Whether the step of this stamp was done from this state: `done_before STAMP STATE`.
done_before() { [[ -f $1 && $(<"$1") == "$2" ]]; }

# A scratch folder under out/, removed at the end: `make_scratch` sets $scratch.
make_scratch() {
  mkdir -p out
  scratch=$(mktemp -d "$PWD/out/scratch.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
}

# Unpacks paths of an npm tarball: `unpack TARBALL FOLDER PATH…`.
unpack() {
  local tarball=$1 folder=$2
  shift 2
  tar -xzf "$tarball" -C "$folder" --strip-components 1 --no-same-owner "${@/#/package/}"
}

# The folder then holds these files and no others: `replace_folder FOLDER FILE…`.
replace_folder() {
  local folder=$1
  shift
  rm -rf "$folder"
  mkdir -p "$folder"
  install -m 644 "$@" "$folder"
}
