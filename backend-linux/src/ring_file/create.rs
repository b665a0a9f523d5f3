//! Making a ring file: the worker's side.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::io::Errno;

use super::attach::{AttachError, Attached};
use super::identity_page::{
    BirthAnchor, ClockKind, MAGIC, MAX_WORKER_NAME, RingIdentity, RingKind, cut,
};
use super::layout::{
    CAPACITY_EXPECTED, Offsets, TABLE_LENGTH_EXPECTED, is_capacity, is_table_length,
};
use super::storage::MappedStorage;
use crate::directory::{Directory, KEEPER_PREFIX, RECORDS_PREFIX};
use crate::error::{Error, ErrorKind};
use crate::identity::{ProcessIdentity, random_id};
use crate::mapping::{Access, Mapping};
use crate::new_file::{NewFile, Published};

const STEP: &str = "create a ring in";

/// What a ring is to be.
#[derive(Clone, Copy, Debug)]
pub struct RingSpec<'a> {
    /// What it carries.
    pub kind: RingKind,
    /// Bytes of its data: a power of two from 4096 to 2^31.
    pub capacity: u32,
    /// Bytes of its call-site table: a multiple of [`TABLE_UNIT`](super::TABLE_UNIT) up to
    /// [`MAX_TABLE_LENGTH`](super::MAX_TABLE_LENGTH).
    pub table_length: u32,
    /// Random; the same for all rings of one worker logger.
    pub worker_id: u64,
    /// For people; what is longer than [`MAX_WORKER_NAME`] bytes is cut off.
    pub worker_name: &'a str,
    /// The process that makes it: this one.
    pub identity: &'a ProcessIdentity,
    /// The thread that will write into it.
    pub tid: u32,
    /// What the ticks of its frames count.
    pub clock_kind: ClockKind,
    /// Now, on three clocks.
    pub birth: BirthAnchor,
}

/// A ring file of this process, mapped for its producer.
///
/// It is invisible until [`RingFile::publish`]: so the owner word can be taken, and first records
/// written, before a master can see it. Dropped unpublished, it leaves nothing behind. Dropped
/// after that, the file stays: the master removes it once it is drained and its owner is gone.
#[derive(Debug)]
pub struct RingFile {
    storage: MappedStorage,
    identity: RingIdentity,
    name: OsString,
    inode: u64,
    directory: Directory,
    unpublished: Option<NewFile>,
}

impl RingFile {
    /// Makes a ring with all its memory reserved and touched, so that no later store waits for a
    /// page or finds the file system full. The mapping is left out of forked children.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoSpace`] if the file system is full: it says what is needed and free, and
    /// leaves nothing behind; a smaller ring may fit. [`ErrorKind::Argument`] if a number of the
    /// `spec` is out of its range. [`ErrorKind::System`] for anything else.
    pub fn create(directory: &Directory, spec: &RingSpec<'_>) -> Result<RingFile, Error> {
        let path = directory.path();
        let system = |errno| {
            let advice = "look at this process's limits (ulimit -v, vm.max_map_count)";
            Error::system(STEP, path, errno, advice)
        };
        let argument = |field: &str, came: u32, expected: &str| {
            let problem = format!("{field} {came} was asked for; expected {expected}");
            Error::new(ErrorKind::Argument, STEP, path, problem, "choose another one")
        };
        if !is_capacity(spec.capacity) {
            return Err(argument("capacity", spec.capacity, CAPACITY_EXPECTED));
        }
        if !is_table_length(spec.table_length) {
            return Err(argument("table length", spec.table_length, TABLE_LENGTH_EXPECTED));
        }
        if spec.tid == 0 || spec.tid > i32::MAX as u32 {
            return Err(argument("tid", spec.tid, "1 to 2147483647"));
        }
        let page = u32::try_from(rustix::param::page_size()).map_err(|_| system(Errno::INVAL))?;
        let offsets = Offsets::new(page, spec.table_length, spec.capacity);
        let identity = RingIdentity {
            ring_id: random_id()?,
            worker_id: spec.worker_id,
            kind: spec.kind,
            capacity: spec.capacity,
            table_length: spec.table_length,
            tid: spec.tid,
            clock: spec.clock_kind,
            birth: spec.birth,
            worker_name: cut(spec.worker_name, MAX_WORKER_NAME).to_string(),
            process: spec.identity.clone(),
        };

        let file = NewFile::create(directory)?;
        file.reserve(offsets.end())?;
        file.write_at(0, &identity.encode(&offsets))?;
        file.write_at(0, &MAGIC.to_le_bytes())?;
        let inode = rustix::fs::fstat(file.fd()).map_err(system)?.st_ino;

        let mapping = Mapping::new(file.fd(), offsets.end(), Access::ReadWrite).map_err(system)?;
        mapping.populate(Access::ReadWrite);
        for at in [0, offsets.consumer()] {
            mapping.protect(at as usize, page as usize, Access::Read).map_err(system)?;
        }
        mapping.keep_from_children().map_err(system)?;
        let storage = MappedStorage::new(&Arc::new(mapping), &offsets, Access::ReadWrite)
            .ok_or_else(|| system(Errno::INVAL))?;

        let name = file_name(&identity);
        let directory = directory.clone();
        Ok(RingFile { storage, identity, name, inode, directory, unpublished: Some(file) })
    }

    /// Links the file into the directory, where a master finds it from now on. The second call
    /// does nothing.
    ///
    /// # Errors
    ///
    /// If it cannot be linked, for example because the directory was removed. The ring can still
    /// be written, but no master will ever find it: make another one.
    pub fn publish(&mut self) -> Result<(), Error> {
        let Some(file) = self.unpublished.take() else { return Ok(()) };
        match file.publish(&self.name)? {
            Published::Now => Ok(()),
            Published::NameTaken => {
                let advice = "remove what has its name; names are random and never used twice";
                Err(Error::system("publish the ring", &self.path(), Errno::EXIST, advice))
            }
        }
    }

    /// Checks and maps a ring file for the master, whoever made it.
    ///
    /// Nothing in the file is believed: what it is, who owns it and each number of its header is
    /// checked before it is mapped. The file's descriptor is closed again.
    ///
    /// # Errors
    ///
    /// [`AttachError`] says what was expected and what came. The file is left as it is.
    pub fn attach(directory: &Directory, name: &OsStr) -> Result<Attached, AttachError> {
        super::attach::attach(directory, name)
    }

    /// Whether the file is still in the directory under its name. If not, nobody may ever drain
    /// it: take a new ring. For slow paths, since it asks the kernel.
    pub fn is_linked(&self) -> bool {
        self.unpublished.is_none() && self.directory.holds(&self.name, self.inode)
    }

    /// Its memory, for the producer.
    pub fn storage(&self) -> &MappedStorage {
        &self.storage
    }

    /// What its first page says.
    pub fn identity(&self) -> &RingIdentity {
        &self.identity
    }

    /// Its name in the directory once it is published: `r-` or `w-`, eight digits of the boot id,
    /// pid, tid, ring id.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// Its path, for people.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }
}

fn file_name(identity: &RingIdentity) -> OsString {
    let prefix = match identity.kind {
        RingKind::Records => RECORDS_PREFIX,
        RingKind::Keeper => KEEPER_PREFIX,
    };
    let [a, b, c, d, ..] = identity.process.boot_id;
    let boot = u32::from_be_bytes([a, b, c, d]);
    let RingIdentity { ring_id, tid, process, .. } = identity;
    format!("{prefix}{boot:08x}-{}-{tid}-{ring_id:016x}", process.pid).into()
}

#[cfg(test)]
pub(super) mod tests {
    use millpond_core::storage::{Area, Storage};

    use super::*;
    use crate::testing::{SmallTmpfs, TestDirectory};

    pub(crate) fn identity() -> ProcessIdentity {
        ProcessIdentity::of_this_process().unwrap()
    }

    pub(crate) fn spec(identity: &ProcessIdentity) -> RingSpec<'_> {
        RingSpec {
            kind: RingKind::Records,
            capacity: 65536,
            table_length: 8192,
            worker_id: 77,
            worker_name: "DataProcessor",
            identity,
            tid: rustix::thread::gettid().as_raw_pid() as u32,
            clock_kind: ClockKind::MonotonicNs,
            birth: BirthAnchor { ticks: 1, monotonic_ns: 2, wall_ns: 3 },
        }
    }

    #[test]
    fn a_ring_is_invisible_until_it_is_published() {
        let test = TestDirectory::new();
        let directory = test.open();
        let identity = identity();
        let mut ring = RingFile::create(&directory, &spec(&identity)).unwrap();
        assert!(test.names().is_empty());
        assert!(!ring.is_linked());
        ring.publish().unwrap();
        ring.publish().unwrap();
        assert!(ring.is_linked());
        let name = ring.name().to_str().unwrap().to_string();
        assert_eq!(test.names(), [name.as_str()]);
        assert!(name.starts_with("r-"), "{name}");
        assert!(name.contains(&format!("-{}-", identity.pid)), "{name}");
        assert_eq!(directory.list_rings().unwrap(), [ring.name()]);

        let keeper = RingSpec { kind: RingKind::Keeper, ..spec(&identity) };
        assert!(
            RingFile::create(&directory, &keeper)
                .unwrap()
                .name()
                .to_str()
                .unwrap()
                .starts_with("w-")
        );

        assert!(directory.remove(ring.name()).unwrap());
        assert!(!ring.is_linked());
        std::fs::write(ring.path(), "somebody else's").unwrap();
        assert!(!ring.is_linked());
    }

    #[test]
    fn its_memory_is_zeros_of_the_sizes_that_were_asked_for() {
        let test = TestDirectory::new();
        let identity = identity();
        for (capacity, table_length) in [(4096, 0), (4096, 4096), (1 << 20, 256 * 1024)] {
            let spec = RingSpec { capacity, table_length, ..spec(&identity) };
            let ring = RingFile::create(&test.open(), &spec).unwrap();
            let storage = ring.storage().clone();
            drop(ring); // the clone keeps it mapped
            assert_eq!(
                (storage.data().length(), storage.table().length()),
                (capacity, table_length)
            );
            assert_eq!(storage.producer_line().published(), 0);
            assert_eq!(storage.consumer_line().released(), 0);
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let test = TestDirectory::new();
        let identity = identity();
        let good = spec(&identity);
        for (bad, word) in [
            (RingSpec { capacity: 2048, ..good }, "power of two"),
            (RingSpec { capacity: 0, ..good }, "power of two"),
            (RingSpec { capacity: 65536 + 8, ..good }, "power of two"),
            (RingSpec { table_length: 100, ..good }, "multiple of 4096"),
            (RingSpec { table_length: 65 << 20, ..good }, "multiple of 4096"),
            (RingSpec { tid: 0, ..good }, "tid"),
            (RingSpec { tid: u32::MAX, ..good }, "tid"),
        ] {
            let error = RingFile::create(&test.open(), &bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Argument);
            assert!(error.to_string().contains(word), "{error}");
        }
        assert!(test.names().is_empty());
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(cut("abc", 128), "abc");
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("é", 1), "");
        let test = TestDirectory::new();
        let directory = test.open();
        let identity = identity();
        let name = "é".repeat(100);
        let mut ring =
            RingFile::create(&directory, &RingSpec { worker_name: &name, ..spec(&identity) })
                .unwrap();
        ring.publish().unwrap();
        assert_eq!(ring.identity().worker_name, "é".repeat(64));
        let attached = RingFile::attach(&directory, ring.name()).unwrap();
        assert_eq!(attached.identity.worker_name, "é".repeat(64));
    }

    #[test]
    fn on_a_full_file_system_nothing_is_left_behind_and_a_smaller_ring_fits() {
        let Some(small) = SmallTmpfs::new("1M") else { return };
        let directory = small.directory();
        let free = directory.free_bytes().unwrap();
        let identity = identity();
        let large = RingSpec { capacity: 1 << 20, ..spec(&identity) };
        let error = RingFile::create(&directory, &large).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        let text = error.to_string();
        let needed = Offsets::new(rustix::param::page_size() as u32, 8192, 1 << 20).end();
        assert!(text.contains(&format!("{needed} bytes are needed and {free} are free")), "{text}");
        assert!(small.names().is_empty());
        assert_eq!(directory.free_bytes().unwrap(), free);
        RingFile::create(&directory, &spec(&identity)).unwrap();
    }

    /// The permissions of the parts of a mapped file, in order, and whether a child gets them.
    fn parts(inode: u64) -> (Vec<String>, bool) {
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let (mut permissions, mut inherited, mut inside) = (Vec::new(), false, false);
        for line in smaps.lines() {
            let words: Vec<_> = line.split_ascii_whitespace().collect();
            if words[0].contains('-') && !words[0].ends_with(':') {
                inside = words[4] == inode.to_string();
                permissions.extend(inside.then(|| words[1].to_string()));
            } else if inside && words[0] == "VmFlags:" {
                inherited |= !words.contains(&"dc");
            }
        }
        (permissions, inherited)
    }

    #[test]
    fn each_side_can_write_what_is_its_own_and_children_get_nothing() {
        let test = TestDirectory::new();
        let directory = test.open();
        let identity = identity();
        let mut ring = RingFile::create(&directory, &spec(&identity)).unwrap();
        let worker = ["r--s", "rw-s", "r--s", "rw-s"].map(String::from).to_vec();
        assert_eq!(parts(ring.inode), (worker, false));
        ring.publish().unwrap();
        let (name, inode) = (ring.name().to_os_string(), ring.inode);
        drop(ring);
        assert_eq!(parts(inode), (vec![], false));
        let attached = RingFile::attach(&directory, &name).unwrap();
        let master = ["r--s", "rw-s", "r--s"].map(String::from).to_vec();
        assert_eq!(parts(attached.inode), (master, false));
        drop(attached);
        assert_eq!(parts(inode), (vec![], false));
    }

    #[test]
    fn on_a_disk_it_works_as_well() {
        let disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let directory = Directory::open(&disk.path().join("pond")).unwrap();
        let identity = identity();
        let mut ring = RingFile::create(&directory, &spec(&identity)).unwrap();
        ring.publish().unwrap();
        let attached = RingFile::attach(&directory, ring.name()).unwrap();
        ring.storage().producer_line().request_flush(1);
        assert_eq!(attached.storage.producer_line().flush_requests(), 1);
    }

    #[test]
    fn in_a_removed_directory_publishing_fails() {
        let test = TestDirectory::new();
        let directory = test.open();
        let identity = identity();
        let mut ring = RingFile::create(&directory, &spec(&identity)).unwrap();
        std::fs::remove_dir(test.path()).unwrap();
        assert!(!directory.is_current());
        assert!(ring.publish().is_err());
        assert!(!ring.is_linked());
    }
}
