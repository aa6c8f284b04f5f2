"""Archives for the kernel, read back by a reader of the test's own."""

from __future__ import annotations

import io
import stat

from cpio_reader import Entry, read_entries

from edgekit_runtimes.devices.board.initramfs import Archive


def written(fill) -> bytes:
    stream = io.BytesIO()
    with Archive(stream) as archive:
        fill(archive)
    return stream.getvalue()


def test_files_links_and_devices_come_back_as_they_were_written():
    def fill(archive):
        archive.add_file("init", b"#!/bin/sh\n", executable=True)
        archive.add_file("data", b"12345")
        archive.add_link("lib", "usr/lib")
        archive.add_character_device("console", 5, 1)

    assert read_entries(written(fill)) == [
        Entry("init", stat.S_IFREG | 0o755, b"#!/bin/sh\n", (0, 0)),
        Entry("data", stat.S_IFREG | 0o644, b"12345", (0, 0)),
        Entry("lib", stat.S_IFLNK | 0o777, b"usr/lib", (0, 0)),
        Entry("console", stat.S_IFCHR | 0o600, b"", (5, 1)),
        Entry("TRAILER!!!", 0, b"", (0, 0)),
    ]


def test_folders_stand_once_and_before_what_is_in_them():
    def fill(archive):
        archive.add_file("a/b/one", b"1")
        archive.add_file("a/b/two", b"2")
        archive.add_folder("a")

    names = [entry.path for entry in read_entries(written(fill))]
    assert names == ["a", "a/b", "a/b/one", "a/b/two", "TRAILER!!!"]


def test_archives_can_follow_one_another_whatever_their_sizes():
    parts = [written(lambda archive, n=n: archive.add_file("x" * n, b"y" * n)) for n in (1, 2, 3)]
    assert [len(entry.content) for entry in read_entries(b"".join(parts)) if entry.mode] == [
        1,
        2,
        3,
    ]


def test_the_same_content_gives_the_same_bytes():
    def fill(archive):
        archive.add_file("a/file", b"content")

    assert written(fill) == written(fill)


def test_an_archive_whose_writing_failed_has_no_end():
    stream = io.BytesIO()
    archive = Archive(stream)
    archive.add_file("file", b"content")
    archive.__exit__(KeyError, KeyError(), None)
    assert b"TRAILER" not in stream.getvalue()
