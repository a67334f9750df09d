//! Files, directories, mounts. Values: the kernel's UAPI headers.

names! {
    /// `open` flags of x86_64. The access mode is an enumeration in the two low bits.
    OPEN = "open" mask 3 {
        O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0o100, O_EXCL = 0o200, O_NOCTTY = 0o400,
        O_TRUNC = 0o1000, O_APPEND = 0o2000, O_NONBLOCK = 0o4000, O_SYNC = 0o4010000, O_DSYNC = 0o10000,
        O_ASYNC = 0o20000, O_DIRECT = 0o40000, O_LARGEFILE = 0o100000, O_TMPFILE = 0o20200000,
        O_DIRECTORY = 0o200000, O_NOFOLLOW = 0o400000, O_NOATIME = 0o1000000, O_CLOEXEC = 0o2000000,
        O_PATH = 0o10000000,
    }

    /// `open` flags of aarch64, which has four of them at other bits.
    OPEN_AARCH64 = "open_aarch64" mask 3 {
        O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0o100, O_EXCL = 0o200, O_NOCTTY = 0o400,
        O_TRUNC = 0o1000, O_APPEND = 0o2000, O_NONBLOCK = 0o4000, O_SYNC = 0o4010000, O_DSYNC = 0o10000,
        O_ASYNC = 0o20000, O_DIRECT = 0o200000, O_LARGEFILE = 0o400000, O_TMPFILE = 0o20040000,
        O_DIRECTORY = 0o40000, O_NOFOLLOW = 0o100000, O_NOATIME = 0o1000000, O_CLOEXEC = 0o2000000,
        O_PATH = 0o10000000,
    }

    /// What `fcntl` says and sets of an open file, on x86_64.
    OPEN_STATUS = "open_status" mask 3 {
        O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_APPEND = 0o2000, O_NONBLOCK = 0o4000, O_SYNC = 0o4010000,
        O_DSYNC = 0o10000, O_ASYNC = 0o20000, O_DIRECT = 0o40000, O_LARGEFILE = 0o100000,
        O_DIRECTORY = 0o200000, O_NOFOLLOW = 0o400000, O_NOATIME = 0o1000000, O_PATH = 0o10000000,
        __O_TMPFILE = 0o20000000,
    }

    /// The same on aarch64.
    OPEN_STATUS_AARCH64 = "open_status_aarch64" mask 3 {
        O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_APPEND = 0o2000, O_NONBLOCK = 0o4000, O_SYNC = 0o4010000,
        O_DSYNC = 0o10000, O_ASYNC = 0o20000, O_DIRECT = 0o200000, O_LARGEFILE = 0o400000,
        O_DIRECTORY = 0o40000, O_NOFOLLOW = 0o100000, O_NOATIME = 0o1000000, O_PATH = 0o10000000,
        __O_TMPFILE = 0o20000000,
    }

    /// `pipe2` flags of x86_64.
    PIPE_FLAGS = "pipe" {
        O_NOTIFICATION_PIPE = 0o200, O_NONBLOCK = 0o4000, O_DIRECT = 0o40000, O_CLOEXEC = 0o2000000,
    }

    /// `pipe2` flags of aarch64.
    PIPE_FLAGS_AARCH64 = "pipe_aarch64" {
        O_NOTIFICATION_PIPE = 0o200, O_NONBLOCK = 0o4000, O_DIRECT = 0o200000, O_CLOEXEC = 0o2000000,
    }

    /// `dup3` flags.
    DUP_FLAGS = "dup3" {
        O_CLOEXEC = 0o2000000,
    }

    /// `resolve` of a `struct open_how`.
    RESOLVE = "resolve" {
        RESOLVE_NO_XDEV = 1, RESOLVE_NO_MAGICLINKS = 2, RESOLVE_NO_SYMLINKS = 4, RESOLVE_BENEATH = 8,
        RESOLVE_IN_ROOT = 0x10, RESOLVE_CACHED = 0x20,
    }

    /// `AT_` flags that most calls of the family take.
    AT = "at" {
        AT_SYMLINK_NOFOLLOW = 0x100, AT_SYMLINK_FOLLOW = 0x400, AT_NO_AUTOMOUNT = 0x800,
        AT_EMPTY_PATH = 0x1000,
    }

    /// `statx` flags. How it asks a network file system is an enumeration of two bits.
    AT_STATX = "at_statx" mask 0x6000 {
        AT_STATX_SYNC_AS_STAT = 0, AT_STATX_FORCE_SYNC = 0x2000, AT_STATX_DONT_SYNC = 0x4000,
        AT_SYMLINK_NOFOLLOW = 0x100, AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000,
    }

    /// `faccessat2` flags.
    AT_ACCESS = "at_access" {
        AT_SYMLINK_NOFOLLOW = 0x100, AT_EACCESS = 0x200, AT_EMPTY_PATH = 0x1000,
    }

    /// `unlinkat` flags.
    AT_UNLINK = "at_unlink" {
        AT_REMOVEDIR = 0x200,
    }

    /// `execveat` flags.
    AT_EXEC = "at_exec" {
        AT_SYMLINK_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000, AT_EXECVE_CHECK = 0x10000,
    }

    /// `name_to_handle_at` flags.
    AT_HANDLE = "at_handle" {
        AT_HANDLE_MNT_ID_UNIQUE = 1, AT_HANDLE_CONNECTABLE = 2, AT_HANDLE_FID = 0x200,
        AT_SYMLINK_FOLLOW = 0x400, AT_EMPTY_PATH = 0x1000,
    }

    /// `mount_setattr` flags.
    AT_MOUNT = "at_mount" {
        AT_SYMLINK_NOFOLLOW = 0x100, AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000, AT_RECURSIVE = 0x8000,
    }

    /// `access` modes.
    ACCESS = "access" {
        F_OK = 0, X_OK = 1, W_OK = 2, R_OK = 4,
    }

    /// `lseek` origins.
    SEEK = "seek" {
        SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2, SEEK_DATA = 3, SEEK_HOLE = 4,
    }

    /// `fcntl` commands.
    FCNTL = "fcntl" {
        F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_GETLK = 5, F_SETLK = 6,
        F_SETLKW = 7, F_SETOWN = 8, F_GETOWN = 9, F_SETSIG = 10, F_GETSIG = 11, F_SETOWN_EX = 15,
        F_GETOWN_EX = 16, F_GETOWNER_UIDS = 17, F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_OFD_SETLKW = 38,
        F_SETLEASE = 1024, F_GETLEASE = 1025, F_NOTIFY = 1026, F_DUPFD_QUERY = 1027, F_CREATED_QUERY = 1028,
        F_CANCELLK = 1029, F_DUPFD_CLOEXEC = 1030, F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032,
        F_ADD_SEALS = 1033, F_GET_SEALS = 1034, F_GET_RW_HINT = 1035, F_SET_RW_HINT = 1036,
        F_GET_FILE_RW_HINT = 1037, F_SET_FILE_RW_HINT = 1038,
    }

    /// `flock` operations.
    FLOCK = "flock" mask 0xb {
        LOCK_SH = 1, LOCK_EX = 2, LOCK_UN = 8, LOCK_NB = 4,
    }

    /// `fallocate` modes.
    FALLOCATE = "fallocate" {
        FALLOC_FL_KEEP_SIZE = 1, FALLOC_FL_PUNCH_HOLE = 2, FALLOC_FL_NO_HIDE_STALE = 4,
        FALLOC_FL_COLLAPSE_RANGE = 8, FALLOC_FL_ZERO_RANGE = 0x10, FALLOC_FL_INSERT_RANGE = 0x20,
        FALLOC_FL_UNSHARE_RANGE = 0x40, FALLOC_FL_WRITE_ZEROES = 0x80,
    }

    /// `fadvise64` advice.
    FADVISE = "fadvise" {
        POSIX_FADV_NORMAL = 0, POSIX_FADV_RANDOM = 1, POSIX_FADV_SEQUENTIAL = 2, POSIX_FADV_WILLNEED = 3,
        POSIX_FADV_DONTNEED = 4, POSIX_FADV_NOREUSE = 5,
    }

    /// `renameat2` flags.
    RENAME = "rename" {
        RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2, RENAME_WHITEOUT = 4,
    }

    /// `splice`, `tee` and `vmsplice` flags.
    SPLICE = "splice" {
        SPLICE_F_MOVE = 1, SPLICE_F_NONBLOCK = 2, SPLICE_F_MORE = 4, SPLICE_F_GIFT = 8,
    }

    /// `preadv2` and `pwritev2` flags.
    RWF = "rwf" {
        RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, RWF_NOWAIT = 8, RWF_APPEND = 0x10, RWF_NOAPPEND = 0x20,
        RWF_ATOMIC = 0x40, RWF_DONTCACHE = 0x80,
    }

    /// `sync_file_range` flags.
    SYNC_FILE_RANGE = "sync_file_range" {
        SYNC_FILE_RANGE_WAIT_BEFORE = 1, SYNC_FILE_RANGE_WRITE = 2, SYNC_FILE_RANGE_WAIT_AFTER = 4,
    }

    /// `statx` masks.
    STATX_MASK = "statx" {
        STATX_ALL = 0xfff, STATX_BASIC_STATS = 0x7ff, STATX_TYPE = 1, STATX_MODE = 2, STATX_NLINK = 4,
        STATX_UID = 8, STATX_GID = 0x10, STATX_ATIME = 0x20, STATX_MTIME = 0x40, STATX_CTIME = 0x80,
        STATX_INO = 0x100, STATX_SIZE = 0x200, STATX_BLOCKS = 0x400, STATX_BTIME = 0x800,
        STATX_MNT_ID = 0x1000, STATX_DIOALIGN = 0x2000, STATX_MNT_ID_UNIQUE = 0x4000, STATX_SUBVOL = 0x8000,
        STATX_WRITE_ATOMIC = 0x10000, STATX_DIO_READ_ALIGN = 0x20000,
    }

    /// `setxattr` flags.
    XATTR = "xattr" {
        XATTR_CREATE = 1, XATTR_REPLACE = 2,
    }

    /// What a mode says a file is. The permission bits below have no names here.
    FILE_TYPE = "file_type" mask 0o170000 {
        S_IFSOCK = 0o140000, S_IFLNK = 0o120000, S_IFREG = 0o100000, S_IFBLK = 0o60000, S_IFDIR = 0o40000,
        S_IFCHR = 0o20000, S_IFIFO = 0o10000,
    }

    /// `close_range` flags.
    CLOSE_RANGE = "close_range" {
        CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4,
    }

    /// `mount` flags.
    MOUNT = "mount" {
        MS_MGC_VAL = 0xc0ed0000, MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8,
        MS_SYNCHRONOUS = 0x10, MS_REMOUNT = 0x20, MS_MANDLOCK = 0x40, MS_DIRSYNC = 0x80,
        MS_NOSYMFOLLOW = 0x100, MS_NOATIME = 0x400, MS_NODIRATIME = 0x800, MS_BIND = 0x1000, MS_MOVE = 0x2000,
        MS_REC = 0x4000, MS_SILENT = 0x8000, MS_POSIXACL = 0x10000, MS_UNBINDABLE = 0x20000,
        MS_PRIVATE = 0x40000, MS_SLAVE = 0x80000, MS_SHARED = 0x100000, MS_RELATIME = 0x200000,
        MS_KERNMOUNT = 0x400000, MS_I_VERSION = 0x800000, MS_STRICTATIME = 0x1000000, MS_LAZYTIME = 0x2000000,
    }

    /// `umount2` flags.
    UMOUNT = "umount" {
        MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4, UMOUNT_NOFOLLOW = 8,
    }

    /// `open_tree` flags.
    OPEN_TREE = "open_tree" {
        OPEN_TREE_CLONE = 1, OPEN_TREE_CLOEXEC = 0x80000, AT_SYMLINK_NOFOLLOW = 0x100,
        AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000, AT_RECURSIVE = 0x8000,
    }

    /// `move_mount` flags.
    MOVE_MOUNT = "move_mount" {
        MOVE_MOUNT_F_SYMLINKS = 1, MOVE_MOUNT_F_AUTOMOUNTS = 2, MOVE_MOUNT_F_EMPTY_PATH = 4,
        MOVE_MOUNT_T_SYMLINKS = 0x10, MOVE_MOUNT_T_AUTOMOUNTS = 0x20, MOVE_MOUNT_T_EMPTY_PATH = 0x40,
        MOVE_MOUNT_SET_GROUP = 0x100, MOVE_MOUNT_BENEATH = 0x200,
    }

    /// `fsopen` flags.
    FSOPEN = "fsopen" {
        FSOPEN_CLOEXEC = 1,
    }

    /// `fspick` flags.
    FSPICK = "fspick" {
        FSPICK_CLOEXEC = 1, FSPICK_SYMLINK_NOFOLLOW = 2, FSPICK_NO_AUTOMOUNT = 4, FSPICK_EMPTY_PATH = 8,
    }

    /// `fsmount` flags.
    FSMOUNT = "fsmount" {
        FSMOUNT_CLOEXEC = 1,
    }

    /// `fsconfig` commands.
    FSCONFIG = "fsconfig" {
        FSCONFIG_SET_FLAG = 0, FSCONFIG_SET_STRING = 1, FSCONFIG_SET_BINARY = 2, FSCONFIG_SET_PATH = 3,
        FSCONFIG_SET_PATH_EMPTY = 4, FSCONFIG_SET_FD = 5, FSCONFIG_CMD_CREATE = 6,
        FSCONFIG_CMD_RECONFIGURE = 7, FSCONFIG_CMD_CREATE_EXCL = 8,
    }

    /// Attributes of a mount. Its access times are an enumeration of three bits.
    MOUNT_ATTR = "mount_attr" mask 0x70 {
        MOUNT_ATTR_RELATIME = 0, MOUNT_ATTR_NOATIME = 0x10, MOUNT_ATTR_STRICTATIME = 0x20,
        MOUNT_ATTR_RDONLY = 1, MOUNT_ATTR_NOSUID = 2, MOUNT_ATTR_NODEV = 4, MOUNT_ATTR_NOEXEC = 8,
        MOUNT_ATTR_NODIRATIME = 0x80, MOUNT_ATTR_IDMAP = 0x100000, MOUNT_ATTR_NOSYMFOLLOW = 0x200000,
    }

    /// The same in a `struct mount_attr`, where no bit means no change; all bits of the access times say that they change.
    MOUNT_ATTR_SET = "mount_attr_set" {
        MOUNT_ATTR__ATIME = 0x70, MOUNT_ATTR_RDONLY = 1, MOUNT_ATTR_NOSUID = 2, MOUNT_ATTR_NODEV = 4,
        MOUNT_ATTR_NOEXEC = 8, MOUNT_ATTR_NOATIME = 0x10, MOUNT_ATTR_STRICTATIME = 0x20,
        MOUNT_ATTR_NODIRATIME = 0x80, MOUNT_ATTR_IDMAP = 0x100000, MOUNT_ATTR_NOSYMFOLLOW = 0x200000,
    }

    /// `inotify_init1` flags.
    INOTIFY_INIT = "inotify_init" {
        IN_CLOEXEC = 0x80000, IN_NONBLOCK = 0x800,
    }

    /// `inotify_add_watch` masks.
    INOTIFY = "inotify" {
        IN_ALL_EVENTS = 0xfff, IN_ACCESS = 1, IN_MODIFY = 2, IN_ATTRIB = 4, IN_CLOSE = 0x18,
        IN_CLOSE_WRITE = 8, IN_CLOSE_NOWRITE = 0x10, IN_OPEN = 0x20, IN_MOVE = 0xc0, IN_MOVED_FROM = 0x40,
        IN_MOVED_TO = 0x80, IN_CREATE = 0x100, IN_DELETE = 0x200, IN_DELETE_SELF = 0x400,
        IN_MOVE_SELF = 0x800, IN_UNMOUNT = 0x2000, IN_Q_OVERFLOW = 0x4000, IN_IGNORED = 0x8000,
        IN_ONLYDIR = 0x1000000, IN_DONT_FOLLOW = 0x2000000, IN_EXCL_UNLINK = 0x4000000,
        IN_MASK_CREATE = 0x10000000, IN_MASK_ADD = 0x20000000, IN_ISDIR = 0x40000000, IN_ONESHOT = 0x80000000,
    }

    /// `fanotify_init` flags. The class is an enumeration of two bits.
    FANOTIFY_INIT = "fanotify_init" mask 0xc {
        FAN_CLASS_NOTIF = 0, FAN_CLASS_CONTENT = 4, FAN_CLASS_PRE_CONTENT = 8, FAN_CLOEXEC = 1,
        FAN_NONBLOCK = 2, FAN_UNLIMITED_QUEUE = 0x10, FAN_UNLIMITED_MARKS = 0x20, FAN_ENABLE_AUDIT = 0x40,
        FAN_REPORT_PIDFD = 0x80, FAN_REPORT_TID = 0x100, FAN_REPORT_FID = 0x200, FAN_REPORT_DIR_FID = 0x400,
        FAN_REPORT_NAME = 0x800, FAN_REPORT_TARGET_FID = 0x1000, FAN_REPORT_FD_ERROR = 0x2000,
        FAN_REPORT_MNT = 0x4000,
    }

    /// `fanotify_mark` flags.
    FANOTIFY_MARK = "fanotify_mark" {
        FAN_MARK_MNTNS = 0x110, FAN_MARK_FILESYSTEM = 0x100, FAN_MARK_MOUNT = 0x10, FAN_MARK_ADD = 1,
        FAN_MARK_REMOVE = 2, FAN_MARK_DONT_FOLLOW = 4, FAN_MARK_ONLYDIR = 8, FAN_MARK_IGNORED_MASK = 0x20,
        FAN_MARK_IGNORED_SURV_MODIFY = 0x40, FAN_MARK_FLUSH = 0x80, FAN_MARK_EVICTABLE = 0x200,
        FAN_MARK_IGNORE = 0x400,
    }

    /// `fanotify_mark` masks.
    FANOTIFY = "fanotify" {
        FAN_ACCESS = 1, FAN_MODIFY = 2, FAN_ATTRIB = 4, FAN_CLOSE = 0x18, FAN_CLOSE_WRITE = 8,
        FAN_CLOSE_NOWRITE = 0x10, FAN_OPEN = 0x20, FAN_MOVE = 0xc0, FAN_MOVED_FROM = 0x40,
        FAN_MOVED_TO = 0x80, FAN_CREATE = 0x100, FAN_DELETE = 0x200, FAN_DELETE_SELF = 0x400,
        FAN_MOVE_SELF = 0x800, FAN_OPEN_EXEC = 0x1000, FAN_Q_OVERFLOW = 0x4000, FAN_FS_ERROR = 0x8000,
        FAN_OPEN_PERM = 0x10000, FAN_ACCESS_PERM = 0x20000, FAN_OPEN_EXEC_PERM = 0x40000,
        FAN_PRE_ACCESS = 0x100000, FAN_MNT_ATTACH = 0x1000000, FAN_MNT_DETACH = 0x2000000,
        FAN_EVENT_ON_CHILD = 0x8000000, FAN_RENAME = 0x10000000, FAN_ONDIR = 0x40000000,
    }

    /// Seals of a memfd.
    SEALS = "seals" {
        F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_GROW = 4, F_SEAL_WRITE = 8, F_SEAL_FUTURE_WRITE = 0x10,
        F_SEAL_EXEC = 0x20,
    }

    /// Descriptor flags.
    FD_FLAGS = "fd_flags" {
        FD_CLOEXEC = 1,
    }
}
