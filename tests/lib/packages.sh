# SPDX-License-Identifier: MIT
# Sourced: finds out what is missing on this machine and installs it. Debian, Ubuntu (apt) and Nix.
#   need_packages WHAT GROUP...    groups: build test run guest

packages_of() {
	case "$1" in
	build) echo gcc libc6-dev meson ninja-build pkg-config python3 libsqlite3-dev libjansson-dev libsodium-dev libzstd-dev \
		libvirt-dev libxml2-dev libseccomp-dev libarchive-dev libsquashfs-dev ;;
	test) echo libcriterion-dev libcbor-dev libsolv-dev libssl-dev tzdata clang-14 libclang-rt-14-dev llvm-14 clang-format-14 universal-ctags abigail-tools \
		binutils groff mandoc zsh fish libxml2-utils sqlite3 procps nix-bin \
		python3-cbor2 python3-nacl golang-go golang-golang-x-mod-dev \
		cpio libarchive-tools squashfs-tools squashfs-tools-ng zstd umoci ;;
	run) echo qemu-system-x86 qemu-utils libvirt-daemon-driver-qemu libvirt-daemon libvirt-clients procps ;;
	guest) echo busybox-static lz4 cpio gzip ;;
	coverage) echo gcovr ;;
	*) echo "packages_of: no group $1" >&2 && return 1 ;;
	esac
}

packages_missing() {
	local group package
	for group in "$@"; do
		for package in $(packages_of "$group"); do
			dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
		done
	done | sort -u
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "need root (or sudo) for: $*" >&2
		return 1
	fi
}

apt_install() {
	local quiet="-qq -o=Dpkg::Use-Pty=0 -o=DPkg::Lock::Timeout=300 -o=Acquire::Retries=3" log status=0
	log=$(mktemp)
	# shellcheck disable=SC2086
	{ as_root env DEBIAN_FRONTEND=noninteractive apt-get $quiet update &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get $quiet install -y --no-install-recommends "$@"; } >"$log" 2>&1 || status=$?
	[ "$status" = 0 ] || tail -n 20 "$log" >&2
	rm -f "$log"
	return "$status"
}

# libvirt's embedded driver looks the account up that its package on Debian does not make.
libvirt_account() {
	[ "$(id -u)" = 0 ] && ! getent passwd libvirt-qemu >/dev/null || return 0
	echo "$1: making the system account libvirt-qemu, which libvirt's QEMU driver looks up"
	if ! getent group libvirt-qemu >/dev/null; then groupadd --system libvirt-qemu; fi
	useradd --system --gid libvirt-qemu --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin libvirt-qemu
}

need_packages() {
	local what=$1 missing
	shift
	if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
		missing=$(packages_missing "$@" | tr '\n' ' ')
		if [ -n "${missing% }" ]; then
			echo "$what: installing with apt-get: $missing"
			# shellcheck disable=SC2086
			apt_install $missing || return 1
		fi
		case " $* " in *' run '*) libvirt_account "$what" ;; esac
	elif command -v nix >/dev/null; then
		[ -n "${HYPERNIX_IN_NIX-}" ] && return 0
		echo "$what: entering the development shell of flake.nix (nix develop)"
		HYPERNIX_IN_NIX=1 exec nix --extra-experimental-features 'nix-command flakes' develop "$root" --command "$0" "${HYPERNIX_ARGUMENTS[@]}"
	else
		echo "$what: neither apt-get nor nix here; these Debian packages or the like are needed:" >&2
		for group in "$@"; do echo "  $(packages_of "$group")" >&2; done
		return 1
	fi
}
