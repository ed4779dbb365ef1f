// SPDX-License-Identifier: MIT

// Checks an exported audit log with the Go checksum database's own code: the signature of its
// checkpoint, its root, every record, and proofs of inclusion and consistency.
//
//	main KEY DIRECTORY [PROOF...]
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func check(err error, what string) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func cutPrefix(line, prefix string) string {
	if !strings.HasPrefix(line, prefix) {
		fail("%q does not begin with %q", line, prefix)
	}
	return line[len(prefix):]
}

type tree struct {
	size int64
	root tlog.Hash
}

// A checkpoint that is signed by the log.
func openNote(bytes []byte, verifiers note.Verifiers) tree {
	opened, err := note.Open(bytes, verifiers)
	check(err, "note")
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		fail("a checkpoint of %d lines", len(lines))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "size")
	root, err := tlog.ParseHash(lines[2])
	check(err, "root")
	return tree{size, root}
}

// Tile index 1234067 is x001/x234/067.
func tilePath(kind string, n int64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < 256 {
		path = fmt.Sprintf("%s.p/%d", path, width)
	}
	return filepath.Join("tile", kind, path)
}

func records(directory string, size int64) [][]byte {
	var all [][]byte
	for first := int64(0); first < size; first += 256 {
		width := int64(256)
		if size-first < width {
			width = size - first
		}
		name := tilePath("entries", first/256, int(width))
		bundle, err := os.ReadFile(filepath.Join(directory, name))
		check(err, "bundle")
		for i := int64(0); i < width; i++ {
			if len(bundle) < 2 {
				fail("%s ends early", name)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			all = append(all, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
		if len(bundle) != 0 {
			fail("%s has %d bytes too many", name, len(bundle))
		}
	}
	return all
}

// Tiles as they were exported, read by the code that verifies them against the root.
type tileReader struct{ directory string }

func (r tileReader) Height() int { return 8 }

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, t := range tiles {
		bytes, err := os.ReadFile(filepath.Join(r.directory, tilePath(strconv.Itoa(t.L), t.N, t.W)))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// A .tlog-proof that carries its record.
func checkProof(path string, verifiers note.Verifiers) {
	bytes, err := os.ReadFile(path)
	check(err, "proof")
	head, rest, found := strings.Cut(string(bytes), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("%s is not a proof", path)
	}
	record, err := base64.StdEncoding.DecodeString(cutPrefix(lines[1], "extra "))
	check(err, "record")
	index, err := strconv.ParseInt(cutPrefix(lines[2], "index "), 10, 64)
	check(err, "index")
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		check(err, "hash")
		proof = append(proof, hash)
	}
	at := openNote([]byte(rest), verifiers)
	check(tlog.CheckRecord(proof, at.size, at.root, index, tlog.RecordHash(record)), path)
}

// The root after each record, computed from the records alone.
func rootsOf(all [][]byte) []tlog.Hash {
	var stored, roots []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	for i, record := range all {
		hashes, err := tlog.StoredHashes(int64(i), record, reader)
		check(err, "record")
		stored = append(stored, hashes...)
		root, err := tlog.TreeHash(int64(i+1), reader)
		check(err, "root")
		roots = append(roots, root)
	}
	return roots
}

func main() {
	verifier, err := note.NewVerifier(os.Args[1])
	check(err, "key")
	verifiers := note.VerifierList(verifier)
	directory := os.Args[2]
	bytes, err := os.ReadFile(filepath.Join(directory, "checkpoint"))
	check(err, "checkpoint")
	at := openNote(bytes, verifiers)

	all := records(directory, at.size)
	roots := rootsOf(all)
	if roots[at.size-1] != at.root {
		fail("the root of the records is not that of the checkpoint")
	}
	tiles := tlog.TileHashReader(tlog.Tree{N: at.size, Hash: at.root}, tileReader{directory})
	for i := int64(0); i < at.size; i += 13 {
		proof, err := tlog.ProveRecord(at.size, i, tiles)
		check(err, "inclusion")
		check(tlog.CheckRecord(proof, at.size, at.root, i, tlog.RecordHash(all[i])), "inclusion")
		older, err := tlog.ProveTree(at.size, i+1, tiles)
		check(err, "consistency")
		check(tlog.CheckTree(older, at.size, at.root, i+1, roots[i]), "consistency")
	}
	for _, path := range os.Args[3:] {
		checkProof(path, verifiers)
	}
	fmt.Printf("%d records, %d proofs: they hold\n", at.size, len(os.Args)-3)
}
