//! What the watcher hears, and what it does not say.

use std::fs;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::Signal as Kill;

use super::*;
use crate::identity::ProcessIdentity;
use crate::testing::{
    Helper, TestDirectory, eventually, helper_command, role, say, wait_for_parent, wrapped,
};

const LONG: Duration = Duration::from_secs(10);

fn watcher(directory: &Directory) -> (Watcher, Receiver<Signal>) {
    let (sender, signals) = channel();
    let watcher = Watcher::start(directory, move |signal| {
        let _ = sender.send(signal);
    });
    (watcher.unwrap(), signals)
}

/// Everything that was said before the watcher ended.
fn rest(watcher: Watcher, signals: &Receiver<Signal>) -> Vec<Signal> {
    drop(watcher);
    signals.iter().collect()
}

#[test]
fn rings_that_come_and_go_are_heard() {
    let test = TestDirectory::new();
    let directory = test.open();
    let (watcher, signals) = watcher(&directory);
    assert_eq!(watcher.warnings(), [""; 0]);
    fs::write(test.path().join("r-1"), "").unwrap();
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Rescan));
    fs::rename(test.path().join("r-1"), test.path().join("r-2")).unwrap();
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Rescan));
    directory.remove("r-2".as_ref()).unwrap();
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Rescan));
    assert_eq!(rest(watcher, &signals), []);
}

#[test]
fn what_is_not_finished_or_not_here_is_not_heard() {
    let test = TestDirectory::new();
    let directory = test.open();
    fs::write(test.path().join("r-1"), "").unwrap();
    let (watcher, signals) = watcher(&directory);
    fs::write(test.path().join(".new-1"), "").unwrap();
    fs::write(test.path().join("r-1"), "more").unwrap(); // a ring that is written into
    fs::remove_file(test.path().join(".new-1")).unwrap();
    fs::create_dir(test.path().join("r-dir")).unwrap(); // heard: proves that the rest was not
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Rescan));
    assert_eq!(rest(watcher, &signals), []);
}

#[test]
fn a_moved_directory_is_still_watched_and_a_removed_one_is_told() {
    let test = TestDirectory::new();
    let directory = test.open();
    let (watcher, signals) = watcher(&directory);
    let moved = test.path().with_extension("moved");
    fs::rename(test.path(), &moved).unwrap();
    fs::write(moved.join("r-1"), "").unwrap();
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Rescan));
    fs::remove_file(moved.join("r-1")).unwrap();
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Rescan));
    fs::remove_dir(&moved).unwrap();
    drop(directory); // its descriptor alone would keep the directory
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Rescan));
    drop(watcher);
}

/// The part that the helper process plays.
#[test]
fn helper_process() {
    let Some((role, place)) = role() else { return };
    match role.as_str() {
        "wait" => {
            say(ProcessIdentity::of_this_process().unwrap().start_time);
            wait_for_parent();
        }
        "no inotify" => {
            let (watcher, signals) = watcher(&Directory::open(&place).unwrap());
            say(watcher.warnings().join(" "));
            assert_eq!(rest(watcher, &signals), []);
        }
        other => panic!("unknown part {other}"),
    }
}

fn worker(test: &TestDirectory) -> (Helper, u64) {
    let mut helper = Helper::start(module_path!(), "wait", test.path());
    let start_time = helper.hears().parse().unwrap();
    (helper, start_time)
}

#[test]
fn a_killed_and_an_exited_process_are_told_once_each() {
    let test = TestDirectory::new();
    let (watcher, signals) = watcher(&test.open());
    let ((mut one, one_start), (mut two, two_start)) = (worker(&test), worker(&test));
    let watch = |pid, start, tag| watcher.watch_process(pid, start, tag).unwrap();
    assert_eq!(watch(one.pid(), one_start, 1), Watched::Watching);
    assert_eq!(watch(two.pid(), two_start, 2), Watched::Watching);
    one.kill();
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Died { pid: one.pid(), tag: 1 }));
    two.wait();
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Died { pid: two.pid(), tag: 2 }));
    assert_eq!(watch(one.pid(), one_start, 1), Watched::Gone);
    assert!(!watcher.unwatch(1));
    assert_eq!(rest(watcher, &signals), []);
}

#[test]
fn a_process_that_nobody_has_waited_for_yet_is_dead_too() {
    let test = TestDirectory::new();
    let (watcher, signals) = watcher(&test.open());
    let (helper, start_time) = worker(&test);
    helper.signal(Kill::KILL);
    let stat = format!("/proc/{}/stat", helper.pid());
    eventually("it is a zombie", || fs::read_to_string(&stat).unwrap().contains(") Z "));
    let watched = watcher.watch_process(helper.pid(), start_time, 1).unwrap();
    assert_eq!(watched, Watched::Watching);
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Died { pid: helper.pid(), tag: 1 }));
}

#[test]
fn a_stopped_process_is_not_dead() {
    let test = TestDirectory::new();
    let (watcher, signals) = watcher(&test.open());
    let (helper, start_time) = worker(&test);
    assert_eq!(watcher.watch_process(helper.pid(), start_time, 1).unwrap(), Watched::Watching);
    helper.signal(Kill::STOP);
    let stat = format!("/proc/{}/stat", helper.pid());
    eventually("it is stopped", || fs::read_to_string(&stat).unwrap().contains(") T "));
    assert_eq!(rest(watcher, &signals), []);
}

#[test]
fn a_pid_that_changed_hands_is_not_watched() {
    let test = TestDirectory::new();
    let (watcher, signals) = watcher(&test.open());
    let (mut helper, start_time) = worker(&test);
    let watched = watcher.watch_process(helper.pid(), start_time + 1, 1).unwrap();
    assert_eq!(watched, Watched::Gone);
    helper.kill();
    assert_eq!(rest(watcher, &signals), []);
}

#[test]
fn a_watch_that_was_given_up_or_replaced_says_nothing() {
    let test = TestDirectory::new();
    let (watcher, signals) = watcher(&test.open());
    let ((mut one, one_start), (mut two, two_start)) = (worker(&test), worker(&test));
    let watch = |pid, start, tag| watcher.watch_process(pid, start, tag).unwrap();
    assert_eq!(watch(one.pid(), one_start, 1), Watched::Watching);
    assert!(watcher.unwatch(1));
    assert!(!watcher.unwatch(1));
    assert_eq!(watch(one.pid(), one_start, 2), Watched::Watching);
    assert_eq!(watch(two.pid(), two_start, 2), Watched::Watching);
    one.kill();
    two.kill();
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Died { pid: two.pid(), tag: 2 }));
    assert_eq!(rest(watcher, &signals), []);
}

#[test]
fn what_is_no_pid_is_an_error() {
    let test = TestDirectory::new();
    let (watcher, _signals) = watcher(&test.open());
    for pid in [0, u32::MAX, 1 << 31] {
        let error = watcher.watch_process(pid, 0, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
    }
    assert_eq!(watcher.watch_process(i32::MAX as u32, 0, 1).unwrap(), Watched::Gone);
}

#[test]
fn the_watcher_sleeps_while_nothing_happens() {
    let test = TestDirectory::new();
    let (watcher, signals) = watcher(&test.open());
    fs::write(test.path().join("r-1"), "").unwrap();
    assert_eq!(signals.recv_timeout(LONG), Ok(Signal::Rescan));
    let task = watch_task();
    let switches = || {
        let status = fs::read_to_string(format!("/proc/self/task/{task}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap();
        line.rsplit('\t').next().unwrap().parse::<u64>().unwrap()
    };
    let asleep = || {
        let stat = fs::read_to_string(format!("/proc/self/task/{task}/stat")).unwrap();
        stat.contains(") S ")
    };
    eventually("it sleeps", asleep);
    let before = switches();
    // Not a wait for something: the time during which nothing may happen.
    assert_eq!(signals.recv_timeout(Duration::from_millis(200)), Err(RecvTimeoutError::Timeout));
    assert_eq!(switches(), before);
    drop(watcher);
}

/// The tid of the youngest watcher thread of this process: that of the calling test, unless
/// another one starts a watcher meanwhile, which changes nothing for what is asserted of it.
fn watch_task() -> u32 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let is_watcher = |tid: &u32| {
        fs::read_to_string(format!("/proc/self/task/{tid}/comm")).is_ok_and(|c| c.trim() == THREAD)
    };
    let tids = tasks.map(|task| task.unwrap().file_name().to_str().unwrap().parse().unwrap());
    tids.filter(is_watcher).max().unwrap()
}

#[test]
fn without_inotify_there_is_a_warning_and_the_rest_works() {
    let test = TestDirectory::new();
    // A user namespace of its own, in which nobody gets an inotify instance.
    let script = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$0\" \"$@\"";
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["-Ur", "sh", "-c", script]);
        command
    };
    let probe = unshare().arg("true").status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: no user namespaces here");
        return;
    }
    let mut helper =
        Helper::run(wrapped(unshare(), &helper_command(module_path!(), "no inotify", test.path())));
    let warning = helper.hears();
    assert!(warning.contains("inotify is not available"), "{warning}");
    assert!(helper.wait().success());
}

#[test]
fn notify_may_drop_the_watcher() {
    let test = TestDirectory::new();
    let own: Arc<Mutex<Option<Watcher>>> = Arc::default();
    let (sender, signals) = channel();
    let watcher = Watcher::start(&test.open(), {
        let own = Arc::clone(&own);
        move |_| {
            drop(own.lock().unwrap().take());
            let _ = sender.send(());
        }
    });
    *own.lock().unwrap() = Some(watcher.unwrap());
    fs::write(test.path().join("r-1"), "").unwrap();
    signals.recv_timeout(LONG).unwrap();
    assert_eq!(signals.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}
