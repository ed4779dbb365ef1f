# SPDX-License-Identifier: MIT
{ lib, stdenv, meson, ninja, pkg-config, python3, sqlite, jansson, libsodium, zstd, libvirt, libxml2, libseccomp, libarchive, squashfs-tools-ng }:
stdenv.mkDerivation {
  pname = "hypernix";
  version = "0.1.0";
  src = lib.cleanSourceWith {
    src = ../.;
    # Build directories are no source.
    filter = path: type: !(type == "directory" && baseNameOf path == "build") && lib.cleanSourceFilter path type;
  };

  nativeBuildInputs = [ meson ninja pkg-config python3 ];
  buildInputs = [ sqlite jansson libsodium zstd libvirt libxml2 libseccomp libarchive squashfs-tools-ng ];
  mesonFlags = [ "-Dtests=disabled" "-Dpython.purelibdir=${placeholder "out"}/${python3.sitePackages}" ];
  mesonBuildType = "release";

  postPatch = ''
    patchShebangs --build tests man frontends bindings
  '';

  meta = {
    description = "Tags, policies and units of virtual machines, resolved, explained and run";
    license = lib.licenses.mit;
    mainProgram = "hv-compute";
    platforms = [ "x86_64-linux" "aarch64-linux" ];
  };
}
