//! `FileHandler` on real files.

use std::fs;
use std::path::Path;

use millpond_core::Level;
use millpond_handlers::FileHandler;
use millpond_std::testing::{Item, records, records_with_format};
use millpond_std::{Handler, LineFormat, Records};

fn batch(messages: &[&str]) -> Records {
    let items: Vec<_> = messages.iter().map(|m| Item::new(Level::Info, "app", *m, 0)).collect();
    records_with_format(LineFormat::new("%(message)s").unwrap(), &items)
}

fn content(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn missing_folders_and_files_are_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/c.log");
    let mut handler = FileHandler::new(&path).unwrap();
    assert_eq!(content(&path), "");
    handler.push(&batch(&["one", "two"])).unwrap();
    assert_eq!(content(&path), "one\ntwo\n");
}

#[test]
fn it_is_durable_and_named_after_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let handler = FileHandler::new(&path).unwrap();
    assert!(handler.is_durable());
    assert_eq!(handler.name(), format!("file {}", path.display()));
    assert_eq!(handler.path(), path);
}

#[test]
fn lines_have_the_loggers_format_or_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let format = LineFormat::new("%(levelname)s: %(message)s").unwrap();
    let batch = records(&[Item::new(Level::Error, "app", "x", 0)]);
    FileHandler::new(&path).unwrap().push(&batch).unwrap();
    FileHandler::options().format(format).open(&path).unwrap().push(&batch).unwrap();
    assert_eq!(content(&path), "1970-01-01T00:00:00.000000Z [ERROR] app - x\nERROR: x\n");
}

#[test]
fn without_create_a_missing_file_is_an_error_and_nothing_appears() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/app.log");
    let error = FileHandler::options().create(false).open(&path).unwrap_err();
    assert!(error.is_missing());
    assert!(!folder.path().join("a").exists());

    FileHandler::new(&path).unwrap();
    FileHandler::options().create(false).open(&path).unwrap().push(&batch(&["x"])).unwrap();
    assert_eq!(content(&path), "x\n");
}

#[test]
fn opening_again_never_truncates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    for message in ["one", "two", "three"] {
        for create in [true, false] {
            let options = FileHandler::options().create(create || message == "one");
            options.open(&path).unwrap().push(&batch(&[message])).unwrap();
        }
    }
    assert_eq!(content(&path), "one\none\ntwo\ntwo\nthree\nthree\n");
}

#[test]
fn two_handlers_append_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let mut handlers = [FileHandler::new(&path).unwrap(), FileHandler::new(&path).unwrap()];
    for round in 0..10 {
        handlers[round % 2].push(&batch(&["a", "b"])).unwrap();
    }
    assert_eq!(content(&path), "a\nb\n".repeat(10));
}

#[test]
fn a_torn_last_line_is_ended_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    fs::write(&path, "whole\ntor").unwrap();
    let mut handler = FileHandler::new(&path).unwrap();
    assert_eq!(content(&path), "whole\ntor", "opening alone writes nothing");
    handler.push(&batch(&["one"])).unwrap();
    handler.push(&batch(&["two"])).unwrap();
    assert_eq!(content(&path), "whole\ntor\none\ntwo\n");
}

#[test]
fn a_whole_last_line_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    fs::write(&path, "whole\n").unwrap();
    FileHandler::new(&path).unwrap().push(&batch(&["one"])).unwrap();
    assert_eq!(content(&path), "whole\none\n");
}

#[test]
fn a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = FileHandler::new(folder.path()).unwrap_err();
    assert!(error.is_not_a_file());
    assert!(error.to_string().contains("found a folder"), "{error}");
}

#[test]
fn a_path_through_a_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    let error = FileHandler::new(folder.path().join("file/app.log")).unwrap_err();
    assert!(error.io_error().is_some());
    assert!(error.to_string().contains("a part of the path is a file"), "{error}");
}

#[test]
fn an_empty_path_is_an_error() {
    assert!(FileHandler::new("").unwrap_err().io_error().is_some());
}

#[test]
#[cfg(unix)]
fn links_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    FileHandler::new(&link).unwrap().push(&batch(&["x"])).unwrap();
    FileHandler::new(&link).unwrap().push(&batch(&["y"])).unwrap();
    assert_eq!(content(&target), "x\ny\n");
}
