//! Who a process is, so that another one can tell it from everybody before and after it.
//!
//! A pid alone says little: it is used again, and every container has its own pid 7. Boot, pid
//! and start time together are unique on one machine and within one pid namespace; random
//! numbers are unique everywhere.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::rand::GetRandomFlags;

use crate::error::{Error, ErrorKind};

const STEP: &str = "learn who this process is from";
const ADVICE: &str = "mount /proc where this process runs";

/// Who a process is, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessIdentity {
    /// Random for each start of the machine.
    pub boot_id: [u8; 16],
    /// In the process's own pid namespace.
    pub pid: u32,
    /// Clock ticks (`sysconf(_SC_CLK_TCK)`, 100 a second) from boot to the start of the process, as
    /// the first time namespace counts.
    pub start_time: u64,
    /// The inode of its pid namespace: two pids can be compared only if this is equal.
    pub pid_namespace: u64,
    /// Nanoseconds that its time namespace adds to CLOCK_MONOTONIC.
    pub time_offset_ns: i64,
    /// The effective user.
    pub uid: u32,
    /// The name of the program, for people.
    pub process_name: String,
}

impl ProcessIdentity {
    /// Reads it anew on each call, so it is right in a forked child too.
    ///
    /// A process that called `unshare(CLONE_NEWTIME)` itself stays in its old time namespace and
    /// cannot read its offset; it is taken to be zero.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`] if `/proc` is not there or says something unexpected.
    pub fn of_this_process() -> Result<ProcessIdentity, Error> {
        let pid = rustix::process::getpid().as_raw_pid() as u32;
        let namespace = "/proc/self/ns/pid";
        let pid_namespace = rustix::fs::stat(namespace)
            .map_err(|errno| Error::system(STEP, Path::new(namespace), errno, ADVICE))?
            .st_ino;
        Ok(ProcessIdentity {
            boot_id: boot_id()?,
            pid,
            start_time: start_time_in("/proc/self/stat")?,
            pid_namespace,
            time_offset_ns: time_offset_ns()?,
            uid: rustix::process::geteuid().as_raw(),
            process_name: process_name()?,
        })
    }

    /// Whether the process still runs: a process with this pid that started at the same time. Means
    /// something only if [`ProcessIdentity::sees_pids_of`] holds.
    pub fn is_running(&self) -> bool {
        // What cannot be learnt is no evidence of death.
        start_time_of(self.pid).map_or(true, |start| start == Some(self.start_time))
    }

    /// Whether a pid of `other` names the same process to us: same boot, same pid namespace, and
    /// the same time namespace, without which start times cannot be compared.
    pub fn sees_pids_of(&self, other: &ProcessIdentity) -> bool {
        self.boot_id == other.boot_id
            && self.pid_namespace == other.pid_namespace
            && self.time_offset_ns == other.time_offset_ns
    }
}

/// A random number that is not zero.
///
/// # Errors
///
/// [`ErrorKind::System`] if the kernel gives none.
pub fn random_id() -> Result<u64, Error> {
    loop {
        let mut bytes = [0; 8];
        match rustix::rand::getrandom(&mut bytes, GetRandomFlags::empty()) {
            // Up to 256 bytes come whole (`getrandom(2)`).
            Ok(8) if bytes != [0; 8] => return Ok(u64::from_ne_bytes(bytes)),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => {
                let path = Path::new("getrandom");
                return Err(Error::system(
                    "draw a number by",
                    path,
                    errno,
                    "allow that system call",
                ));
            }
        }
    }
}

/// The random number of this start of the machine.
pub(crate) fn boot_id() -> Result<[u8; 16], Error> {
    let path = "/proc/sys/kernel/random/boot_id";
    let text = read(path)?;
    parse_boot_id(&text).ok_or_else(|| unexpected(path, &text, "a UUID"))
}

/// When the process with this pid was started; `None` if there is none. The pid may have been
/// used again since you got it.
pub(crate) fn start_time_of(pid: u32) -> Result<Option<u64>, Error> {
    check_proc()?;
    let path = format!("/proc/{pid}/stat");
    match read_raw(&path) {
        // ESRCH: it was there when the file was opened.
        Err(Errno::NOENT | Errno::SRCH) => Ok(None),
        Err(errno) => Err(Error::system(STEP, Path::new(&path), errno, ADVICE)),
        Ok(bytes) => match parse_start_time(&bytes) {
            Some(time) => Ok(Some(in_the_first_namespace(time)?)),
            None => Err(unexpected(&path, &bytes, "a start time in field 22")),
        },
    }
}

/// Whether /proc counts as we do: in a container it may be that of another pid namespace, where
/// our pids are those of other processes.
fn check_proc() -> Result<(), Error> {
    let path = Path::new("/proc/self");
    let link = rustix::fs::readlink(path, Vec::new())
        .map_err(|errno| Error::system(STEP, path, errno, ADVICE))?;
    let pid = rustix::process::getpid().as_raw_pid().to_string();
    if link.to_bytes() == pid.as_bytes() {
        return Ok(());
    }
    let problem = format!("it leads to {link:?}; expected {pid}: /proc is another pid namespace's");
    Err(Error::new(ErrorKind::System, STEP, path, problem, ADVICE))
}

fn start_time_in(path: &str) -> Result<u64, Error> {
    let text = read(path)?;
    let time = parse_start_time(&text)
        .ok_or_else(|| unexpected(path, &text, "a start time in field 22"))?;
    in_the_first_namespace(time)
}

/// The kernel adds the reader's own boottime offset to every start time that it shows
/// (`time_namespaces(7)`). Without it, processes of different time namespaces mean the same.
fn in_the_first_namespace(start_time: u64) -> Result<u64, Error> {
    const NS_PER_CLOCK_TICK: i64 = 10_000_000;
    let offset = offset_ns("boottime")? / NS_PER_CLOCK_TICK;
    Ok(start_time.wrapping_sub_signed(offset))
}

fn time_offset_ns() -> Result<i64, Error> {
    offset_ns("monotonic")
}

/// Nanoseconds that this process's time namespace adds to a clock.
fn offset_ns(clock: &str) -> Result<i64, Error> {
    // What the file shows is the namespace of the children to come.
    let link = |name: &str| rustix::fs::readlink(format!("/proc/self/ns/{name}"), Vec::new());
    match (link("time"), link("time_for_children")) {
        (Ok(own), Ok(children)) if own == children => {}
        _ => return Ok(0), // no time namespaces in this kernel, or see `of_this_process`
    }
    let path = "/proc/self/timens_offsets";
    let text = read(path)?;
    parse_time_offset(&text, clock)
        .ok_or_else(|| unexpected(path, &text, "`CLOCK SECONDS NANOSECONDS`"))
}

fn process_name() -> Result<String, Error> {
    if let Ok(target) = rustix::fs::readlink("/proc/self/exe", Vec::new())
        && let Some(name) = Path::new(OsStr::from_bytes(target.to_bytes())).file_name()
    {
        return Ok(name.to_string_lossy().into_owned());
    }
    let text = read("/proc/self/comm")?;
    Ok(String::from_utf8_lossy(text.trim_ascii_end()).into_owned())
}

/// `1f0c9a2b-7d1e-4c55-8a86-0123456789ab`, as the bytes that are written.
fn parse_boot_id(text: &[u8]) -> Option<[u8; 16]> {
    let mut digits = text.trim_ascii().iter().filter(|byte| **byte != b'-');
    let mut id = [0; 16];
    for byte in &mut id {
        let mut digit = || char::from(*digits.next()?).to_digit(16);
        *byte = (digit()? * 16 + digit()?) as u8;
    }
    (digits.next().is_none() && id != [0; 16]).then_some(id)
}

/// Field 22. The second field is the name in brackets, which may itself hold brackets and blanks,
/// so counting starts behind the last one.
fn parse_start_time(stat: &[u8]) -> Option<u64> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let after = std::str::from_utf8(&stat[name_end + 1..]).ok()?;
    after.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

/// The line `monotonic  SECONDS  NANOSECONDS`, where the seconds may be negative.
fn parse_time_offset(text: &[u8], clock: &str) -> Option<i64> {
    for line in std::str::from_utf8(text).ok()?.lines() {
        let mut words = line.split_ascii_whitespace();
        if words.next() == Some(clock) {
            let seconds: i64 = words.next()?.parse().ok()?;
            let nanoseconds: i64 = words.next()?.parse().ok()?;
            return seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds);
        }
    }
    None
}

fn read(path: &str) -> Result<Vec<u8>, Error> {
    read_raw(path).map_err(|errno| Error::system(STEP, Path::new(path), errno, ADVICE))
}

fn read_raw(path: &str) -> Result<Vec<u8>, Errno> {
    let fd = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut all = Vec::new();
    let mut part = [0; 1024];
    loop {
        match rustix::io::read(&fd, &mut part) {
            Ok(0) => return Ok(all),
            Ok(length) => all.extend_from_slice(&part[..length]),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

fn unexpected(path: &str, came: &[u8], expected: &str) -> Error {
    let came = String::from_utf8_lossy(&came[..came.len().min(80)]).into_owned();
    let problem = format!("it says {came:?}; expected {expected}");
    Error::new(ErrorKind::System, STEP, Path::new(path), problem, "report this as a bug")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Helper, TestDirectory, role, say, wait_for_parent};

    #[test]
    fn this_process_is_who_it_is() {
        let us = ProcessIdentity::of_this_process().unwrap();
        assert_eq!(us, ProcessIdentity::of_this_process().unwrap());
        assert_eq!(us.pid, std::process::id());
        assert_eq!(start_time_of(us.pid).unwrap(), Some(us.start_time));
        let program = std::env::current_exe().unwrap();
        assert_eq!(us.process_name, program.file_name().unwrap().to_str().unwrap());
        assert!(us.sees_pids_of(&us));
        for other in [
            ProcessIdentity { boot_id: [1; 16], ..us.clone() },
            ProcessIdentity { pid_namespace: 1, ..us.clone() },
            ProcessIdentity { time_offset_ns: 1, ..us.clone() },
        ] {
            assert!(!us.sees_pids_of(&other));
        }
    }

    #[test]
    fn nobody_has_no_start_time() {
        assert_eq!(start_time_of(i32::MAX as u32).unwrap(), None);
    }

    /// The part that the helper process plays.
    #[test]
    fn helper_process() {
        if role().is_none() {
            return;
        }
        let us = ProcessIdentity::of_this_process().unwrap();
        say(us.time_offset_ns);
        say(us.pid_namespace);
        say(start_time_of(us.pid).is_ok_and(|time| time == Some(us.start_time)));
        wait_for_parent();
    }

    /// What a helper in namespaces of its own says of itself.
    fn in_namespaces(options: &[&str]) -> Option<[String; 3]> {
        let test = TestDirectory::new();
        let mut helper = Helper::unshared(options, module_path!(), "say", test.path())?;
        Some([(); 3].map(|()| helper.hears()))
    }

    #[test]
    fn a_time_namespace_shows_its_offset() {
        let Some([offset, ..]) = in_namespaces(&["--time", "--monotonic", "86400"]) else { return };
        assert_eq!(offset, "86400000000000");
        assert_eq!(ProcessIdentity::of_this_process().unwrap().time_offset_ns, 0);
    }

    #[test]
    fn a_pid_namespace_shows_itself_and_whether_proc_is_its_own() {
        let ours = ProcessIdentity::of_this_process().unwrap().pid_namespace.to_string();
        let Some([_, namespace, knows_itself]) = in_namespaces(&["--pid"]) else { return };
        assert_ne!(namespace, ours);
        assert_eq!(knows_itself, "false");
        let options = ["--pid", "--mount-proc"];
        let Some([_, namespace, knows_itself]) = in_namespaces(&options) else { return };
        assert_ne!(namespace, ours);
        assert_eq!(knows_itself, "true");
    }

    #[test]
    fn random_ids_differ() {
        assert_ne!(random_id().unwrap(), random_id().unwrap());
    }

    #[test]
    fn the_start_time_is_found_behind_any_name() {
        let stat = |name: &str| {
            format!("7 ({name}) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21\n")
        };
        for name in ["cat", "a b c", ") S 9 9 (", "))((", ""] {
            assert_eq!(parse_start_time(stat(name).as_bytes()), Some(4711), "{name:?}");
        }
        for text in ["", ")", "7 (x) S 1 2 3", "7 x S"] {
            assert_eq!(parse_start_time(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn a_boot_id_is_sixteen_bytes() {
        let id = parse_boot_id(b"00010203-0405-0607-0809-0a0b0c0d0eFf\n").unwrap();
        assert_eq!(id, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        for text in ["", "00", "00000000-0000-0000-0000-000000000000", "xyz", &"1".repeat(33)] {
            assert_eq!(parse_boot_id(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn time_offsets_have_a_sign() {
        let text = b"monotonic        -3         5\nboottime         7         0\n";
        assert_eq!(parse_time_offset(text, "monotonic"), Some(-2_999_999_995));
        assert_eq!(parse_time_offset(b"boottime 0 0\n", "monotonic"), None);
        assert_eq!(parse_time_offset(b"monotonic 99999999999999999 0\n", "monotonic"), None);
    }

    proptest! {
        #[test]
        fn no_text_from_proc_makes_a_parser_panic(
            text in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = (parse_boot_id(&text), parse_start_time(&text), parse_time_offset(&text, "monotonic"));
        }
    }
}
