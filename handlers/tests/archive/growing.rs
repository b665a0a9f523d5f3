//! Archives that are read while they are written.

use std::fs::File;

use super::*;

#[test]
fn a_growing_archive_is_read_as_it_grows() {
    for (way, options) in ways() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        let mut handler = options.open(&path).unwrap();
        let mut reader = ArchiveReader::new(File::open(&path).unwrap()).growing(true);
        assert!(reader.read().unwrap().is_none());
        for number in 0..10 {
            let batch = texts(&[&format!("{way} {number}")]);
            handler.push(&batch).unwrap();
            assert_eq!(read_on(&mut reader).lines, lines_of(&[batch]));
            assert!(reader.read().unwrap().is_none());
        }
    }
}

#[test]
fn byte_by_byte_nothing_is_skipped_and_nothing_is_torn() {
    for (way, options) in ways() {
        let batches = [texts(&["one", "two"]), texts(&["three"])];
        let archive = archive_of(options, &batches);
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        let mut file = File::create(&path).unwrap();
        let mut reader = ArchiveReader::new(File::open(&path).unwrap()).growing(true);
        let mut lines = String::new();
        for byte in archive {
            std::io::Write::write_all(&mut file, &[byte]).unwrap();
            let decoded = read_on(&mut reader);
            assert_eq!((decoded.skipped, decoded.torn), (vec![], None), "{way}");
            lines += &decoded.lines;
        }
        assert_eq!(lines, lines_of(&batches), "{way}");
    }
}

#[test]
fn a_torn_place_is_passed_over_once_something_whole_follows_it() {
    for (way, options) in ways() {
        let archive = archive_of(options.clone(), &[texts(&["never whole", "at all"])]);
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        fs::write(&path, &archive[..archive.len() - 20]).unwrap();
        let mut reader = ArchiveReader::new(File::open(&path).unwrap()).growing(true);
        let decoded = read_on(&mut reader);
        assert_eq!((decoded.records, decoded.skipped), (0, vec![]), "{way}");
        let batch = texts(&["x"]);
        options.open(&path).unwrap().push(&batch).unwrap();
        let decoded = read_on(&mut reader);
        assert!(decoded.lines.ends_with(&lines_of(&[batch])), "{way}: {decoded:?}");
        assert_eq!(decoded.skipped.len(), 1, "{way}");
    }
}
