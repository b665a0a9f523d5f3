//! From what a user writes to a path.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

const STEP: &str = "use the path";
const ADVICE: &str = "give the path of a directory, for example `/dev/shm/my_app` or \
                      `ipc:///dev/shm/my_app`, that the master and its workers share";

/// The path in `text`; `ipc://` in front of it is stripped, as in `ipc:///dev/shm/my_app`.
///
/// # Errors
///
/// [`ErrorKind::Path`] if there is another scheme (named in the error), no path, or a NUL byte.
///
/// ```
/// use millpond_linux::directory::parse_path;
///
/// assert_eq!(parse_path("ipc:///dev/shm/my_app").unwrap().to_str(), Some("/dev/shm/my_app"));
/// assert!(parse_path("tcp://localhost:5555").unwrap_err().to_string().contains("`tcp`"));
/// ```
pub fn parse_path(text: &str) -> Result<PathBuf, Error> {
    let refuse =
        |problem: String| Err(Error::new(ErrorKind::Path, STEP, text.as_ref(), problem, ADVICE));
    let path = match scheme(text) {
        None => text,
        Some("ipc") => &text["ipc://".len()..],
        Some(other) => {
            return refuse(format!("the scheme `{other}` is not supported, only `ipc` is"));
        }
    };
    if path.is_empty() {
        return refuse("there is no path in it".into());
    }
    if path.contains('\0') {
        return refuse("there is a NUL byte in it".into());
    }
    Ok(PathBuf::from(path))
}

/// What stands before `://`, if it can be a scheme (RFC 3986, 3.1).
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let mut letters = scheme.bytes();
    let first = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let rest = letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (first && rest).then_some(scheme)
}

/// Where processes of this user meet if nobody says otherwise: `$XDG_RUNTIME_DIR/millpond`, or
/// `/dev/shm/millpond-UID` if that variable is unset, empty or no absolute path.
pub fn default_path() -> PathBuf {
    default_path_from(std::env::var_os("XDG_RUNTIME_DIR").as_deref())
}

fn default_path_from(runtime: Option<&OsStr>) -> PathBuf {
    match runtime.map(Path::new) {
        Some(runtime) if runtime.is_absolute() => runtime.join("millpond"),
        _ => {
            let user = rustix::process::geteuid().as_raw();
            PathBuf::from(format!("/dev/shm/millpond-{user}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stands_for_itself_with_and_without_its_scheme() {
        for (text, path) in [
            ("/dev/shm/x", "/dev/shm/x"),
            ("ipc:///dev/shm/x", "/dev/shm/x"),
            ("ipc://relative/x", "relative/x"),
            ("a/b://c", "a/b://c"),
            ("1st://x", "1st://x"),
            ("://x", "://x"),
        ] {
            assert_eq!(parse_path(text).unwrap(), PathBuf::from(path), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_and_named() {
        for (text, word) in [
            ("tcp://localhost:5555", "`tcp`"),
            ("IPC:///x", "`IPC`"),
            ("http+unix://x", "`http+unix`"),
            ("", "no path"),
            ("ipc://", "no path"),
            ("/dev/\0/x", "NUL"),
        ] {
            let error = parse_path(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Path);
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn the_default_is_the_runtime_directory_if_that_is_usable() {
        let fallback = format!("/dev/shm/millpond-{}", rustix::process::geteuid().as_raw());
        let from = |text: &str| default_path_from(Some(OsStr::new(text)));
        assert_eq!(from("/run/user/7"), PathBuf::from("/run/user/7/millpond"));
        for unusable in ["", "run/user/7"] {
            assert_eq!(from(unusable), PathBuf::from(&fallback));
        }
        assert_eq!(default_path_from(None), PathBuf::from(&fallback));
    }
}
