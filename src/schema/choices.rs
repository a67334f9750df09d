//! What arguments mean that depend on another one, call by call.
//!
//! Enters: nothing. Leaves: one [`Choice`] for each such argument and result, and [`ALL`] of them. Never: anything but
//! rows. Values have names of the tables in [`super::tables`]; a name that is not there does not compile.

use super::choice::{Choice, Copied, On, choices, on};
use super::kind::Len;
use super::layout::{Is, Member, layout};
use super::tables as t;
use super::{Arch, Struct};

const FLOCK: Is = Is::Of(layout! {
    0 l_type: Enum(2, &t::LOCK), 2 l_whence: Enum(2, &t::SEEK), 8 l_start: I(8), 16 l_len: I(8),
});
/// Whose lock stands in the way.
const FLOCK_OF: Is = Is::Of(layout! {
    0 l_type: Enum(2, &t::LOCK), 2 l_whence: Enum(2, &t::SEEK), 8 l_start: I(8), 16 l_len: I(8),
    24 l_pid unless 0: I(4),
});
const INT: Is = Is::At(&Is::I(4));
const UINT: Is = Is::At(&Is::U(4));
const LONG: Is = Is::At(&Is::I(8));
const PERM: &[Member] = layout! {
    0 key: X(4), 4 uid: U(4), 8 gid: U(4), 12 cuid: U(4), 16 cgid: U(4), 20 mode: O(4),
};
const FPROG: Is = Is::Of(layout! { 0 len: U(2), 8 filter: X(8) });
const FUTEX_OPS: On = On { arg: 1, mask: 0x7f, shift: 0, under: false };
const IPC_COMMAND: On = On { arg: 1, mask: 0xff, shift: 0, under: false };

/// An interface's name, and one member of the union behind it.
macro_rules! ifreq {
    ($($name:ident: $is:expr)?) => {
        Of(layout! { 0 ifr_name: Text(16) $(, 16 $name: $is)? })
    };
}

/// A quota's limits and use.
const DQBLK: Is = Is::Of(layout! {
    0 dqb_bhardlimit: U(8), 8 dqb_bsoftlimit: U(8), 16 dqb_curspace: U(8), 24 dqb_ihardlimit: U(8),
    32 dqb_isoftlimit: U(8), 40 dqb_curinodes: U(8), 48 dqb_btime: U(8), 56 dqb_itime: U(8), 64 dqb_valid: X(4),
    68 dqb_id unless 0: U(4),
});
const BPF_BATCH: Is = Is::Of(layout! {
    0 in_batch: X(8), 8 out_batch: X(8), 16 keys: X(8), 24 values: X(8), 32 count: U(4), 36 map_fd: Fd,
    40 elem_flags: Flags(8, &t::BPF_ELEM), 48 flags: X(8),
});
const BPF_ID: Is = Is::Of(layout! { 0 start_id: U(4), 4 next_id: U(4), 8 open_flags: X(4) });
const BPF_OBJ: Is = Is::Of(layout! {
    0 pathname: X(8), 8 bpf_fd: Fd, 12 file_flags: Flags(4, &t::BPF_MAP_FLAGS), 16 path_fd unless 0: Fd,
});
const BPF_ATTACH: Is = Is::Of(layout! {
    0 target_fd: Fd, 4 attach_bpf_fd: Fd, 8 attach_type: Enum(4, &t::BPF_ATTACH),
    12 attach_flags: Flags(4, &t::BPF_ATTACH_FLAGS), 16 replace_bpf_fd unless 0: Fd,
});
const BPF_ELEM: Is = Is::Of(layout! {
    0 map_fd: Fd, 8 key: X(8), 16 value: X(8), 24 flags: Flags(8, &t::BPF_ELEM),
});
const MREQ: Is = Is::Of(layout! { 0 imr_multiaddr: Ip4, 4 imr_address: Ip4, 8 imr_ifindex unless 0: I(4) });
const MREQ6: Is = Is::Of(layout! { 0 ipv6mr_multiaddr: Ip6, 16 ipv6mr_interface: I(4) });
const TPACKET_REQ: Is = Is::Of(layout! {
    0 tp_block_size: U(4), 4 tp_block_nr: U(4), 8 tp_frame_size: U(4), 12 tp_frame_nr: U(4),
});
const FILES_UPDATE: Is = Is::Of(layout! { 0 offset: U(4), 8 fds: X(8) });

choices! {
    /// `fcntl`'s third argument.
    FCNTL "fcntl" by t::FCNTL, on(1), Copied::Bytes(32) => {
        F_DUPFD F_DUPFD_CLOEXEC F_SETPIPE_SZ => Word(I(4)),
        F_GETFD F_GETFL F_GETOWN F_GETSIG F_GETLEASE F_GETPIPE_SZ F_GET_SEALS F_CREATED_QUERY => Idle,
        F_SETFD => Word(Flags(4, &t::FD_FLAGS)),
        F_SETFL => Word(Flags(4, &t::OPEN_STATUS)),
        F_SETLK F_SETLKW F_OFD_SETLK F_OFD_SETLKW F_CANCELLK => In(FLOCK),
        F_GETLK F_OFD_GETLK => Out(FLOCK_OF),
        F_SETOWN => Word(I(4)),
        F_SETSIG => Word(Sig(4)),
        F_SETOWN_EX => In(Of(layout! { 0 type: Enum(4, &t::F_OWNER), 4 pid: I(4) })),
        F_GETOWN_EX => Out(Of(layout! { 0 type: Enum(4, &t::F_OWNER), 4 pid: I(4) })),
        F_GETOWNER_UIDS => Out(List(&U(4), 2)),
        F_SETLEASE => Word(Enum(4, &t::LOCK)),
        F_NOTIFY => Word(Flags(4, &t::DNOTIFY)),
        F_DUPFD_QUERY => Word(Fd),
        F_ADD_SEALS => Word(Flags(4, &t::SEALS)),
        F_GET_RW_HINT F_GET_FILE_RW_HINT => Out(At(&Enum(8, &t::RWH))),
        F_SET_RW_HINT F_SET_FILE_RW_HINT => In(At(&Enum(8, &t::RWH))),
    } else Word(X(8));

    /// `fcntl`'s result.
    FCNTL_RESULT "fcntl_result" by t::FCNTL, on(1), Copied::Nothing => {
        F_GETFD => Word(Flags(4, &t::FD_FLAGS)),
        F_GETFL => Word(Flags(4, &t::OPEN_STATUS)),
        F_GETSIG => Word(Sig(4)),
        F_GETLEASE => Word(Enum(4, &t::LOCK)),
        F_GET_SEALS => Word(Flags(4, &t::SEALS)),
    } else Word(I(4));

    /// `ioctl`'s third argument.
    IOCTL "ioctl" by t::IOCTL, on(1), Copied::Bytes(64) => {
        TCGETS TCGETS2 TIOCGLCKTRMIOS => Out(TERMIOS),
        TCSETS TCSETSW TCSETSF TCSETS2 TCSETSW2 TCSETSF2 TIOCSLCKTRMIOS => In(TERMIOS),
        TIOCGWINSZ => Out(WINSIZE),
        TIOCSWINSZ => In(WINSIZE),
        TIOCGPGRP TIOCGSID TIOCOUTQ FIONREAD TIOCGPTN TIOCGPTLCK TIOCGPKT TIOCGEXCL TIOCGETD TIOCGSOFTCAR FIOGETOWN
            SIOCGPGRP SIOCATMARK SIOCOUTQNSD FIGETBSZ FIBMAP BLKROGET BLKSSZGET BLKDISCARDZEROES LOOP_CTL_GET_FREE
            RNDGETENTCNT WDIOC_GETTIMEOUT WDIOC_GETPRETIMEOUT WDIOC_GETTIMELEFT EVIOCGVERSION TUNGETSNDBUF
            TUNGETVNETHDRSZ TUNGETVNETLE TUNGETVNETBE PPPIOCGUNIT SG_GET_VERSION_NUM VT_OPENQRY => Out(INT),
        TIOCSPGRP TIOCSPTLCK TIOCPKT TIOCSETD TIOCSSOFTCAR FIONBIO FIOASYNC FIOSETOWN SIOCSPGRP BLKROSET TUNSETSNDBUF
            TUNSETVNETHDRSZ TUNSETVNETLE TUNSETVNETBE WDIOC_SETTIMEOUT WDIOC_SETPRETIMEOUT RNDADDTOENTCNT => In(INT),
        BLKIOMIN BLKIOOPT BLKALIGNOFF BLKPBSZGET BLKGETZONESZ BLKGETNRZONES TUNGETFEATURES NS_GET_OWNER_UID => Out(UINT),
        BLKSECTGET BLKROTATIONAL => Out(At(&U(2))),
        BLKGETSIZE BLKGETSIZE64 BLKGETDISKSEQ BLKRAGET BLKFRAGET RTC_IRQP_READ RTC_EPOCH_READ PERF_EVENT_IOC_ID
            VHOST_GET_FEATURES FS_IOC_GETVERSION => Out(At(&U(8))),
        BLKBSZGET => Out(INT),
        BLKBSZSET => In(INT),
        FIOQSIZE => Out(LONG),
        PERF_EVENT_IOC_PERIOD SECCOMP_IOCTL_NOTIF_ID_VALID => In(At(&U(8))),
        TIOCMGET => Out(At(&Flags(4, &t::TIOCM))),
        TIOCMSET TIOCMBIS TIOCMBIC => In(At(&Flags(4, &t::TIOCM))),
        TIOCGDEV => Out(At(&X(4))),
        TIOCSTI => In(Text(1)),
        TCFLSH => Word(Enum(4, &t::TCFLSH)),
        TCXONC => Word(Enum(4, &t::TCXONC)),
        TIOCSIG => Word(Sig(4)),
        TIOCGPTPEER => Word(Flags(4, &t::OPEN)),
        TCSBRK TCSBRKP TIOCSCTTY TIOCMIWAIT BLKRASET BLKFRASET TUNSETOWNER TUNSETGROUP TUNSETPERSIST TUNSETLINK
            TUNSETNOCSUM TUNSETDEBUG LOOP_SET_DIRECT_IO LOOP_SET_BLOCK_SIZE LOOP_CTL_ADD LOOP_CTL_REMOVE RTC_IRQP_SET
            RTC_EPOCH_SET KVM_CREATE_VM KVM_CREATE_VCPU KVM_CHECK_EXTENSION KVM_SET_NR_MMU_PAGES KVM_SET_TSC_KHZ
            KVM_SET_BOOT_CPU_ID VT_ACTIVATE VT_WAITACTIVE VT_DISALLOCATE KDSETMODE KDSKBMODE KDSETLED KDMKTONE
            PERF_EVENT_IOC_ENABLE PERF_EVENT_IOC_DISABLE PERF_EVENT_IOC_RESET PERF_EVENT_IOC_REFRESH
            PERF_EVENT_IOC_PAUSE_OUTPUT EVIOCGRAB EVIOCREVOKE I2C_SLAVE I2C_SLAVE_FORCE I2C_RETRIES I2C_TIMEOUT I2C_PEC
            CDROMEJECT CDROM_LOCKDOOR => Word(I(8)),
        LOOP_SET_FD LOOP_CHANGE_FD FICLONE PERF_EVENT_IOC_SET_BPF PERF_EVENT_IOC_SET_OUTPUT NBD_SET_SOCK => Word(Fd),
        FIOCLEX FIONCLEX TIOCEXCL TIOCNXCL TIOCNOTTY TIOCSBRK TIOCCBRK TIOCCONS TIOCVHANGUP BLKRRPART BLKFLSBUF
            LOOP_CLR_FD LOOP_SET_CAPACITY FIFREEZE FITHAW RTC_AIE_ON RTC_AIE_OFF RTC_UIE_ON RTC_UIE_OFF RTC_PIE_ON
            RTC_PIE_OFF RTC_WIE_ON RTC_WIE_OFF RTC_VL_CLR KVM_RUN KVM_GET_API_VERSION KVM_GET_VCPU_MMAP_SIZE KVM_NMI
            KVM_SMI KVM_GET_TSC_KHZ KVM_KVMCLOCK_CTRL KVM_CREATE_IRQCHIP KVM_CREATE_PIT KVM_GET_STATS_FD NS_GET_USERNS
            NS_GET_PARENT NS_GET_NSTYPE SIOCGSKNS TUNGETDEVNETNS RNDZAPENTCNT RNDCLEARPOOL RNDRESEEDCRNG
            WDIOC_KEEPALIVE UI_DEV_CREATE UI_DEV_DESTROY NBD_DO_IT NBD_CLEAR_SOCK NBD_CLEAR_QUE NBD_DISCONNECT
            VHOST_SET_OWNER VHOST_RESET_OWNER => Idle,
        SIOCGSTAMP SIOCGSTAMP_NEW => Out(Val),
        SIOCGSTAMPNS SIOCGSTAMPNS_NEW => Out(Spec),
        SIOCGIFCONF => Out(Of(layout! { 0 ifc_len: I(4), 8 ifc_buf: X(8) })),
        SIOCGIFNAME => Out(ifreq!(ifr_ifindex: I(4))),
        SIOCGIFINDEX => Out(ifreq!(ifr_ifindex: I(4))),
        SIOCGIFFLAGS => Out(ifreq!(ifr_flags: Flags(2, &t::IFF))),
        SIOCSIFFLAGS => In(ifreq!(ifr_flags: Flags(2, &t::IFF))),
        SIOCGIFMTU => Out(ifreq!(ifr_mtu: I(4))),
        SIOCSIFMTU => In(ifreq!(ifr_mtu: I(4))),
        SIOCGIFMETRIC => Out(ifreq!(ifr_metric: I(4))),
        SIOCSIFMETRIC => In(ifreq!(ifr_metric: I(4))),
        SIOCGIFTXQLEN => Out(ifreq!(ifr_qlen: I(4))),
        SIOCSIFTXQLEN => In(ifreq!(ifr_qlen: I(4))),
        SIOCGIFADDR SIOCGIFDSTADDR SIOCGIFBRDADDR SIOCGIFNETMASK => Out(ifreq!(ifr_addr: Sockaddr(16))),
        SIOCSIFADDR SIOCSIFDSTADDR SIOCSIFBRDADDR SIOCSIFNETMASK => In(ifreq!(ifr_addr: Sockaddr(16))),
        SIOCGIFHWADDR => Out(Of(layout! { 0 ifr_name: Text(16), 16 sa_family: Enum(2, &t::ARPHRD), 18 sa_data: List(&X(1), 6) })),
        SIOCSIFHWADDR => In(Of(layout! { 0 ifr_name: Text(16), 16 sa_family: Enum(2, &t::ARPHRD), 18 sa_data: List(&X(1), 6) })),
        SIOCSIFNAME => In(Of(layout! { 0 ifr_name: Text(16), 16 ifr_newname: Text(16) })),
        SIOCBRADDIF SIOCBRDELIF => In(ifreq!(ifr_ifindex: I(4))),
        SIOCBRADDBR SIOCBRDELBR => In(Text(16)),
        SIOCETHTOOL SIOCGMIIPHY SIOCGMIIREG SIOCADDMULTI SIOCDELMULTI SIOCGIFMAP => In(ifreq!()),
        TUNSETIFF TUNSETQUEUE => In(ifreq!(ifr_flags: Flags(2, &t::IFF_TUN))),
        TUNGETIFF => Out(ifreq!(ifr_flags: Flags(2, &t::IFF_TUN))),
        TUNSETIFINDEX => In(INT),
        FS_IOC_GETFLAGS => Out(At(&Flags(4, &t::FS_FLAGS))),
        FS_IOC_SETFLAGS => In(At(&Flags(4, &t::FS_FLAGS))),
        FS_IOC_SETVERSION => In(At(&U(4))),
        FS_IOC_FSGETXATTR => Out(FSXATTR),
        FS_IOC_FSSETXATTR => In(FSXATTR),
        FS_IOC_GETFSLABEL => Out(Text(64)),
        FS_IOC_SETFSLABEL => In(Text(64)),
        FS_IOC_FIEMAP => Out(Of(layout! {
            0 fm_start: U(8), 8 fm_length: U(8), 16 fm_flags: X(4), 20 fm_mapped_extents: U(4), 24 fm_extent_count: U(4),
        })),
        FICLONERANGE => In(Of(layout! { 0 src_fd: I(8), 8 src_offset: U(8), 16 src_length: U(8), 24 dest_offset: U(8) })),
        FIDEDUPERANGE => In(Of(layout! { 0 src_offset: U(8), 8 src_length: U(8), 16 dest_count: U(2) })),
        FITRIM => In(Of(layout! { 0 start: U(8), 8 len: U(8), 16 minlen: U(8) })),
        BLKDISCARD BLKSECDISCARD BLKZEROOUT BLKRESETZONE BLKOPENZONE BLKCLOSEZONE BLKFINISHZONE => In(List(&U(8), 2)),
        LOOP_GET_STATUS64 => Out(LOOP_INFO),
        LOOP_SET_STATUS64 => In(LOOP_INFO),
        LOOP_CONFIGURE => In(Of(layout! { 0 fd: Fd, 4 block_size: U(4) })),
        RTC_RD_TIME RTC_ALM_READ => Out(RTC_TIME),
        RTC_SET_TIME RTC_ALM_SET => In(RTC_TIME),
        HDIO_GETGEO => Out(Of(layout! { 0 heads: U(1), 1 sectors: U(1), 2 cylinders: U(2), 8 start: U(8) })),
        VT_GETSTATE => Out(Of(layout! { 0 v_active: U(2), 2 v_signal: U(2), 4 v_state: X(2) })),
        KDGKBTYPE KDGETLED => Out(At(&X(1))),
        KDGETMODE KDGKBMODE => Out(LONG),
        EVIOCGID => Out(Of(layout! { 0 bustype: X(2), 2 vendor: X(2), 4 product: X(2), 6 version: X(2) })),
        UFFDIO_API => Out(Of(layout! { 0 api: X(8), 8 features: X(8), 16 ioctls: X(8) })),
        UFFDIO_REGISTER => In(Of(layout! { 0 start: X(8), 8 len: U(8), 16 mode: X(8), 24 ioctls: X(8) })),
        UFFDIO_UNREGISTER UFFDIO_WAKE => In(Of(layout! { 0 start: X(8), 8 len: U(8) })),
        UFFDIO_COPY => In(Of(layout! { 0 dst: X(8), 8 src: X(8), 16 len: U(8), 24 mode: X(8), 32 copy: I(8) })),
        UFFDIO_ZEROPAGE UFFDIO_CONTINUE => In(Of(layout! { 0 start: X(8), 8 len: U(8), 16 mode: X(8), 24 done: I(8) })),
        UFFDIO_WRITEPROTECT => In(Of(layout! { 0 start: X(8), 8 len: U(8), 16 mode: X(8) })),
        KVM_SET_USER_MEMORY_REGION => In(Of(layout! {
            0 slot: U(4), 4 flags: X(4), 8 guest_phys_addr: X(8), 16 memory_size: U(8), 24 userspace_addr: X(8),
        })),
        KVM_IRQ_LINE KVM_IRQ_LINE_STATUS => In(Of(layout! { 0 irq: U(4), 4 level: U(4) })),
        KVM_GET_ONE_REG KVM_SET_ONE_REG => In(Of(layout! { 0 id: X(8), 8 addr: X(8) })),
        KVM_CREATE_DEVICE => In(Of(layout! { 0 type: U(4), 4 fd: Fd, 8 flags: X(4) })),
    } else Word(X(8));

    /// The value of a socket option that is set.
    SETSOCKOPT "setsockopt" by t::SOCKOPT, SOCKET_OPTION, Copied::Counted(Len::Arg(4), 256) => {
        SO_LINGER => In(LINGER),
        SO_RCVTIMEO SO_SNDTIMEO SO_RCVTIMEO_NEW SO_SNDTIMEO_NEW => In(Val),
        SO_BINDTODEVICE TCP_CONGESTION TCP_ULP => In(Text(64)),
        SO_ATTACH_FILTER SO_ATTACH_REUSEPORT_CBPF => In(FPROG),
        SO_ATTACH_BPF SO_ATTACH_REUSEPORT_EBPF => In(At(&Fd)),
        SO_MARK => In(At(&X(4))),
        SO_MAX_PACING_RATE => In(All(&U(4))),
        SO_TIMESTAMPING SO_TIMESTAMPING_NEW => In(Of(layout! { 0 flags: Flags(4, &t::SOF), 4 bind_phc unless 0: I(4) })),
        SO_TXTIME => In(Of(layout! { 0 clockid: Enum(4, &t::CLOCK), 4 flags: Flags(4, &t::SOF_TXTIME) })),
        SO_BUF_LOCK => In(At(&Flags(4, &t::SO_BUF_LOCK))),
        IP_MULTICAST_IF IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP => In(MREQ),
        IP_ADD_SOURCE_MEMBERSHIP IP_DROP_SOURCE_MEMBERSHIP IP_BLOCK_SOURCE IP_UNBLOCK_SOURCE => In(Of(layout! {
            0 imr_multiaddr: Ip4, 4 imr_interface: Ip4, 8 imr_sourceaddr: Ip4,
        })),
        IP_MTU_DISCOVER => In(At(&Enum(4, &t::PMTUDISC))),
        IPV6_MTU_DISCOVER => In(At(&Enum(4, &t::PMTUDISC))),
        IPV6_ADD_MEMBERSHIP IPV6_DROP_MEMBERSHIP IPV6_JOIN_ANYCAST IPV6_LEAVE_ANYCAST => In(MREQ6),
        PACKET_ADD_MEMBERSHIP PACKET_DROP_MEMBERSHIP => In(Of(layout! {
            0 mr_ifindex: I(4), 4 mr_type: U(2), 6 mr_alen: U(2), 8 mr_address: List(&X(1), 8),
        })),
        PACKET_RX_RING PACKET_TX_RING => In(TPACKET_REQ),
        TCP_FASTOPEN_KEY IP_OPTIONS => In(Rest),
    } else In(NumberOrBytes);

    /// The value of a socket option that is asked for.
    GETSOCKOPT "getsockopt" by t::SOCKOPT, SOCKET_OPTION, Copied::Counted(Len::At(4), 256) => {
        SO_ERROR => Out(At(&Errno)),
        SO_TYPE => Out(At(&Enum(4, &t::SOCK))),
        SO_DOMAIN => Out(At(&Enum(4, &t::AF))),
        SO_PROTOCOL => Out(At(&Enum(4, &t::IPPROTO))),
        SO_LINGER => Out(LINGER),
        SO_PEERCRED => Out(Of(layout! { 0 pid: I(4), 4 uid: I(4), 8 gid: I(4) })),
        SO_PEERPIDFD => Out(At(&Fd)),
        SO_PEERGROUPS => Out(All(&U(4))),
        SO_PEERNAME => Out(Sockaddr(128)),
        SO_PEERSEC SO_BINDTODEVICE TCP_CONGESTION TCP_ULP => Out(Text(256)),
        SO_RCVTIMEO SO_SNDTIMEO SO_RCVTIMEO_NEW SO_SNDTIMEO_NEW => Out(Val),
        SO_MARK => Out(At(&X(4))),
        SO_COOKIE SO_NETNS_COOKIE => Out(At(&X(8))),
        SO_MEMINFO => Out(All(&U(4))),
        SO_MAX_PACING_RATE => Out(All(&U(4))),
        SO_TIMESTAMPING SO_TIMESTAMPING_NEW => Out(Of(layout! { 0 flags: Flags(4, &t::SOF), 4 bind_phc unless 0: I(4) })),
        SO_TXTIME => Out(Of(layout! { 0 clockid: Enum(4, &t::CLOCK), 4 flags: Flags(4, &t::SOF_TXTIME) })),
        SO_BUF_LOCK => Out(At(&Flags(4, &t::SO_BUF_LOCK))),
        IP_MULTICAST_IF => Out(At(&Ip4)),
        IP_MTU_DISCOVER IPV6_MTU_DISCOVER => Out(At(&Enum(4, &t::PMTUDISC))),
        PACKET_STATISTICS => Out(Of(layout! { 0 tp_packets: U(4), 4 tp_drops: U(4) })),
        NETLINK_LIST_MEMBERSHIPS => Out(All(&X(4))),
        TCP_INFO => Out(Of(layout! {
            0 tcpi_state: Enum(1, &t::TCP_STATE), 1 tcpi_ca_state: U(1), 2 tcpi_retransmits: U(1), 8 tcpi_rto: U(4),
            12 tcpi_ato: U(4), 16 tcpi_snd_mss: U(4), 20 tcpi_rcv_mss: U(4), 24 tcpi_unacked: U(4),
            32 tcpi_lost: U(4), 36 tcpi_retrans: U(4), 60 tcpi_pmtu: U(4), 68 tcpi_rtt: U(4), 72 tcpi_rttvar: U(4),
            76 tcpi_snd_ssthresh: U(4), 80 tcpi_snd_cwnd: U(4), 92 tcpi_rcv_rtt: U(4), 96 tcpi_rcv_space: U(4),
            100 tcpi_total_retrans: U(4), 120 tcpi_bytes_acked: U(8), 128 tcpi_bytes_received: U(8),
        })),
    } else Out(NumberOrBytes);

    /// A socket's protocol, by its domain.
    PROTOCOL "protocol" by t::AF, on(0), Copied::Nothing => {
        AF_INET AF_INET6 => Word(Enum(4, &t::IPPROTO)),
        AF_NETLINK => Word(Enum(4, &t::NETLINK)),
        AF_PACKET => Word(BeEnum(2, &t::ETH_P)),
        AF_BLUETOOTH => Word(Enum(4, &t::BTPROTO)),
        AF_CAN => Word(Enum(4, &t::CAN_PROTO)),
    } else Word(I(4));

    /// `prctl`'s second argument.
    PRCTL2 "prctl2" by t::PRCTL, on(0), Copied::Bytes(16) => {
        PR_SET_NAME => In(Text(16)),
        PR_GET_NAME => Out(Text(16)),
        PR_SET_PDEATHSIG => Word(Sig(4)),
        PR_GET_PDEATHSIG PR_GET_UNALIGN PR_GET_FPEMU PR_GET_FPEXC PR_GET_TSC PR_GET_ENDIAN PR_GET_CHILD_SUBREAPER => Out(INT),
        PR_GET_TID_ADDRESS => Out(At(&X(8))),
        PR_SET_DUMPABLE => Word(Enum(8, &t::SUID_DUMP)),
        PR_SET_SECCOMP => Word(Enum(8, &t::SECCOMP_MODE)),
        PR_CAPBSET_READ PR_CAPBSET_DROP => Word(Enum(8, &t::CAPABILITY)),
        PR_CAP_AMBIENT => Word(Enum(8, &t::PR_CAP_AMBIENT)),
        PR_SET_MM => Word(Enum(8, &t::PR_SET_MM)),
        PR_SET_VMA => Word(Enum(8, &t::PR_SET_VMA)),
        PR_SET_TSC => Word(Enum(8, &t::PR_TSC)),
        PR_SET_SECUREBITS => Word(Flags(8, &t::SECUREBITS)),
        PR_MCE_KILL => Word(Enum(8, &t::PR_MCE)),
        PR_GET_SPECULATION_CTRL PR_SET_SPECULATION_CTRL => Word(Enum(8, &t::PR_SPEC)),
        PR_SCHED_CORE => Word(Enum(8, &t::PR_SCHED_CORE)),
        PR_SET_MDWE => Word(Flags(8, &t::PR_MDWE)),
        PR_SET_SYSCALL_USER_DISPATCH => Word(Enum(8, &t::PR_DISPATCH)),
        PR_SET_PTRACER => Word(Enum(8, &t::PR_PTRACER)),
        PR_SET_KEEPCAPS PR_SET_CHILD_SUBREAPER PR_SET_NO_NEW_PRIVS PR_SET_THP_DISABLE PR_SET_TIMERSLACK PR_SET_UNALIGN
            PR_SET_FPEMU PR_SET_FPEXC PR_SET_TIMING PR_SET_ENDIAN PR_SET_IO_FLUSHER PR_SET_MEMORY_MERGE
            PR_TIMER_CREATE_RESTORE_IDS PR_FUTEX_HASH => Word(I(8)),
        PR_GET_DUMPABLE PR_GET_KEEPCAPS PR_GET_TIMING PR_GET_SECCOMP PR_GET_SECUREBITS PR_GET_TIMERSLACK
            PR_GET_NO_NEW_PRIVS PR_GET_THP_DISABLE PR_TASK_PERF_EVENTS_DISABLE PR_TASK_PERF_EVENTS_ENABLE
            PR_MCE_KILL_GET PR_GET_TAGGED_ADDR_CTRL PR_GET_IO_FLUSHER PR_GET_MDWE PR_GET_MEMORY_MERGE => Idle,
    } else Word(X(8));

    /// `prctl`'s third argument.
    PRCTL3 "prctl3" by t::PRCTL, on(0), Copied::Nothing => {
        PR_CAP_AMBIENT => Word(Enum(8, &t::CAPABILITY)),
        PR_SET_SECCOMP PR_SET_MM PR_SET_VMA PR_GET_AUXV PR_SET_SYSCALL_USER_DISPATCH => Word(X(8)),
        PR_MCE_KILL => Word(Enum(8, &t::PR_MCE_KILL)),
        PR_SET_SPECULATION_CTRL => Word(Flags(8, &t::PR_SPEC_HOW)),
        PR_SCHED_CORE => Word(I(4)),
        PR_PAC_SET_ENABLED_KEYS PR_SET_THP_DISABLE => Word(X(8)),
        PR_FUTEX_HASH => Word(I(8)),
    } else Idle;

    /// `prctl`'s fourth argument.
    PRCTL4 "prctl4" by t::PRCTL, on(0), Copied::Nothing => {
        PR_SET_MM PR_SET_VMA PR_SCHED_CORE PR_SET_SYSCALL_USER_DISPATCH => Word(U(8)),
        PR_GET_AUXV PR_FUTEX_HASH => Word(X(8)),
    } else Idle;

    /// `prctl`'s fifth argument.
    PRCTL5 "prctl5" by t::PRCTL, on(0), Copied::Text(80) => {
        PR_SET_VMA => In(Text(80)),
        PR_SET_MM PR_SCHED_CORE PR_SET_SYSCALL_USER_DISPATCH => Word(X(8)),
    } else Idle;

    /// `prctl`'s result.
    PRCTL_RESULT "prctl_result" by t::PRCTL, on(0), Copied::Nothing => {
        PR_GET_DUMPABLE => Word(Enum(4, &t::SUID_DUMP)),
        PR_GET_SECCOMP => Word(Enum(4, &t::SECCOMP_MODE)),
        PR_GET_SECUREBITS => Word(Flags(4, &t::SECUREBITS)),
        PR_GET_SPECULATION_CTRL => Word(Flags(4, &t::PR_SPEC_HOW)),
        PR_GET_MDWE => Word(Flags(4, &t::PR_MDWE)),
        PR_MCE_KILL_GET => Word(Enum(4, &t::PR_MCE_KILL)),
    } else Word(I(4));

    /// `arch_prctl`'s second argument.
    ARCH_PRCTL "arch_prctl" by t::ARCH_PRCTL, on(0), Copied::Bytes(8) => {
        ARCH_GET_FS ARCH_GET_GS ARCH_GET_XCOMP_SUPP ARCH_GET_XCOMP_PERM ARCH_GET_XCOMP_GUEST_PERM ARCH_GET_UNTAG_MASK
            ARCH_GET_MAX_TAG_BITS ARCH_SHSTK_STATUS => Out(At(&X(8))),
        ARCH_SET_CPUID ARCH_REQ_XCOMP_PERM ARCH_REQ_XCOMP_GUEST_PERM ARCH_ENABLE_TAGGED_ADDR => Word(I(8)),
        ARCH_GET_CPUID ARCH_FORCE_TAGGED_SVA => Idle,
    } else Word(X(8));

    /// `futex`'s third argument.
    FUTEX_VAL "futex_val" by t::FUTEX, FUTEX_OPS, Copied::Nothing => {
        FUTEX_LOCK_PI FUTEX_LOCK_PI2 FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI => Idle,
    } else Word(U(4));

    /// `futex`'s fourth argument: how long it waits, or how many are moved.
    FUTEX_TIMEOUT "futex_timeout" by t::FUTEX, FUTEX_OPS, Copied::Bytes(16) => {
        FUTEX_WAIT FUTEX_WAIT_BITSET FUTEX_LOCK_PI FUTEX_LOCK_PI2 FUTEX_WAIT_REQUEUE_PI => In(Spec),
        FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_CMP_REQUEUE_PI FUTEX_WAKE_OP => Word(U(4)),
        FUTEX_WAKE FUTEX_WAKE_BITSET FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI FUTEX_FD => Idle,
    } else Word(X(8));

    /// `futex`'s fifth argument.
    FUTEX_UADDR2 "futex_uaddr2" by t::FUTEX, FUTEX_OPS, Copied::Nothing => {
        FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_CMP_REQUEUE_PI FUTEX_WAKE_OP FUTEX_WAIT_REQUEUE_PI => Word(X(8)),
    } else Idle;

    /// `futex`'s sixth argument.
    FUTEX_VAL3 "futex_val3" by t::FUTEX, FUTEX_OPS, Copied::Nothing => {
        FUTEX_CMP_REQUEUE FUTEX_CMP_REQUEUE_PI => Word(U(4)),
        FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET => Word(X(4)),
        FUTEX_WAKE_OP => Word(FutexOp),
    } else Idle;

    /// `ptrace`'s third argument.
    PTRACE_ADDR "ptrace_addr" by t::PTRACE, on(0), Copied::Bytes(24) => {
        PTRACE_GETREGSET PTRACE_SETREGSET => Word(Enum(4, &t::NOTE)),
        PTRACE_GET_SYSCALL_INFO PTRACE_SET_SYSCALL_INFO PTRACE_GETSIGMASK PTRACE_SETSIGMASK
            PTRACE_SECCOMP_GET_METADATA PTRACE_GET_RSEQ_CONFIGURATION => Word(U(8)),
        PTRACE_PEEKSIGINFO => In(Of(layout! { 0 off: U(8), 8 flags: X(4), 12 nr: I(4) })),
        PTRACE_TRACEME PTRACE_CONT PTRACE_KILL PTRACE_SINGLESTEP PTRACE_SYSCALL PTRACE_ATTACH PTRACE_DETACH
            PTRACE_SYSEMU PTRACE_SYSEMU_SINGLESTEP PTRACE_SINGLEBLOCK PTRACE_SETOPTIONS PTRACE_GETEVENTMSG
            PTRACE_GETSIGINFO PTRACE_SETSIGINFO PTRACE_SEIZE PTRACE_INTERRUPT PTRACE_LISTEN PTRACE_GETREGS
            PTRACE_SETREGS PTRACE_GETFPREGS PTRACE_SETFPREGS => Idle,
    } else Word(X(8));

    /// `ptrace`'s fourth argument.
    PTRACE_DATA "ptrace_data" by t::PTRACE, on(0), Copied::Bytes(80) => {
        PTRACE_PEEKTEXT PTRACE_PEEKDATA PTRACE_PEEKUSER => Out(At(&X(8))),
        PTRACE_CONT PTRACE_SYSCALL PTRACE_SINGLESTEP PTRACE_DETACH PTRACE_SYSEMU PTRACE_SYSEMU_SINGLESTEP
            PTRACE_SINGLEBLOCK PTRACE_LISTEN => Word(Sig(4)),
        PTRACE_SETOPTIONS PTRACE_SEIZE => Word(Flags(4, &t::PTRACE_OPTIONS)),
        PTRACE_GETEVENTMSG => Out(At(&U(8))),
        PTRACE_GETSIGINFO => Out(Siginfo),
        PTRACE_SETSIGINFO => In(Siginfo),
        PTRACE_GETSIGMASK => Out(Sigset),
        PTRACE_SETSIGMASK => In(Sigset),
        PTRACE_GETREGSET PTRACE_SETREGSET => In(Of(layout! { 0 iov_base: X(8), 8 iov_len: U(8) })),
        PTRACE_GET_SYSCALL_INFO => Out(Of(layout! {
            0 op: Enum(1, &t::PTRACE_SYSCALL_INFO), 4 arch: Enum(4, &t::AUDIT_ARCH), 8 instruction_pointer: X(8),
            16 stack_pointer: X(8), 24 info: List(&X(8), 7),
        })),
        PTRACE_TRACEME PTRACE_KILL PTRACE_ATTACH PTRACE_INTERRUPT => Idle,
    } else Word(X(8));

    /// `seccomp`'s third argument.
    SECCOMP_ARGS "seccomp_args" by t::SECCOMP, on(0), Copied::Bytes(16) => {
        SECCOMP_SET_MODE_STRICT => Idle,
        SECCOMP_SET_MODE_FILTER => In(FPROG),
        SECCOMP_GET_ACTION_AVAIL => In(At(&Enum(4, &t::SECCOMP_RET))),
        SECCOMP_GET_NOTIF_SIZES => Out(Of(layout! {
            0 seccomp_notif: U(2), 2 seccomp_notif_resp: U(2), 4 seccomp_data: U(2),
        })),
    } else Word(X(8));

    /// `bpf`'s attributes.
    BPF_ATTR "bpf_attr" by t::BPF, on(0), Copied::Counted(Len::Arg(2), 152) => {
        BPF_MAP_CREATE => In(Of(layout! {
            0 map_type: Enum(4, &t::BPF_MAP), 4 key_size: U(4), 8 value_size: U(4), 12 max_entries: U(4),
            16 map_flags: Flags(4, &t::BPF_MAP_FLAGS), 20 inner_map_fd unless 0: Fd, 24 numa_node unless 0: U(4),
            28 map_name: Text(16), 44 map_ifindex unless 0: U(4), 48 btf_fd unless 0: Fd,
            52 btf_key_type_id unless 0: U(4), 56 btf_value_type_id unless 0: U(4), 64 map_extra unless 0: X(8),
        })),
        BPF_MAP_LOOKUP_ELEM BPF_MAP_UPDATE_ELEM BPF_MAP_DELETE_ELEM BPF_MAP_LOOKUP_AND_DELETE_ELEM BPF_MAP_FREEZE => In(BPF_ELEM),
        BPF_MAP_GET_NEXT_KEY => In(Of(layout! { 0 map_fd: Fd, 8 key: X(8), 16 next_key: X(8) })),
        BPF_MAP_LOOKUP_BATCH BPF_MAP_LOOKUP_AND_DELETE_BATCH BPF_MAP_UPDATE_BATCH BPF_MAP_DELETE_BATCH => In(BPF_BATCH),
        BPF_PROG_LOAD => In(Of(layout! {
            0 prog_type: Enum(4, &t::BPF_PROG), 4 insn_cnt: U(4), 8 insns: X(8), 16 license: X(8), 24 log_level: U(4),
            28 log_size unless 0: U(4), 32 log_buf unless 0: X(8), 40 kern_version unless 0: X(4),
            44 prog_flags: Flags(4, &t::BPF_PROG_FLAGS), 48 prog_name: Text(16), 64 prog_ifindex unless 0: U(4),
            68 expected_attach_type: Enum(4, &t::BPF_ATTACH), 72 prog_btf_fd unless 0: Fd,
            76 func_info_rec_size unless 0: U(4), 88 func_info_cnt unless 0: U(4), 104 line_info_cnt unless 0: U(4),
            108 attach_btf_id unless 0: U(4), 112 attach_prog_fd unless 0: Fd,
        })),
        BPF_OBJ_PIN BPF_OBJ_GET => In(BPF_OBJ),
        BPF_PROG_ATTACH BPF_PROG_DETACH => In(BPF_ATTACH),
        BPF_PROG_TEST_RUN => In(Of(layout! {
            0 prog_fd: Fd, 4 retval: U(4), 8 data_size_in: U(4), 12 data_size_out: U(4), 16 data_in: X(8),
            24 data_out: X(8), 32 repeat: U(4), 36 duration: U(4),
        })),
        BPF_PROG_GET_NEXT_ID BPF_MAP_GET_NEXT_ID BPF_BTF_GET_NEXT_ID BPF_LINK_GET_NEXT_ID => In(BPF_ID),
        BPF_PROG_GET_FD_BY_ID => In(Of(layout! { 0 prog_id: U(4), 8 open_flags unless 0: X(4) })),
        BPF_MAP_GET_FD_BY_ID => In(Of(layout! { 0 map_id: U(4), 8 open_flags unless 0: Flags(4, &t::BPF_MAP_FLAGS) })),
        BPF_BTF_GET_FD_BY_ID => In(Of(layout! { 0 btf_id: U(4), 8 open_flags unless 0: X(4) })),
        BPF_LINK_GET_FD_BY_ID => In(Of(layout! { 0 link_id: U(4), 8 open_flags unless 0: X(4) })),
        BPF_OBJ_GET_INFO_BY_FD => In(Of(layout! { 0 bpf_fd: Fd, 4 info_len: U(4), 8 info: X(8) })),
        BPF_PROG_QUERY => In(Of(layout! {
            0 target_fd: Fd, 4 attach_type: Enum(4, &t::BPF_ATTACH), 8 query_flags: X(4), 12 attach_flags: X(4),
            16 prog_ids: X(8), 24 prog_cnt: U(4),
        })),
        BPF_RAW_TRACEPOINT_OPEN => In(Of(layout! { 0 name: X(8), 8 prog_fd: Fd, 16 cookie unless 0: X(8) })),
        BPF_BTF_LOAD => In(Of(layout! {
            0 btf: X(8), 8 btf_log_buf: X(8), 16 btf_size: U(4), 20 btf_log_size: U(4), 24 btf_log_level: U(4),
        })),
        BPF_TASK_FD_QUERY => In(Of(layout! {
            0 pid: I(4), 4 fd: I(4), 8 flags: X(4), 12 buf_len: U(4), 16 buf: X(8), 24 prog_id: U(4), 28 fd_type: U(4),
            32 probe_offset: X(8), 40 probe_addr: X(8),
        })),
        BPF_LINK_CREATE => In(Of(layout! {
            0 prog_fd: Fd, 4 target_fd: Fd, 8 attach_type: Enum(4, &t::BPF_ATTACH), 12 flags: X(4),
            16 target_btf_id unless 0: U(4),
        })),
        BPF_LINK_UPDATE => In(Of(layout! {
            0 link_fd: Fd, 4 new_prog_fd: Fd, 8 flags: Flags(4, &t::BPF_ATTACH_FLAGS), 12 old_prog_fd unless 0: Fd,
        })),
        BPF_LINK_DETACH => In(Of(layout! { 0 link_fd: Fd })),
        BPF_ENABLE_STATS => In(Of(layout! { 0 type: U(4) })),
        BPF_ITER_CREATE => In(Of(layout! { 0 link_fd: Fd, 4 flags: X(4) })),
        BPF_PROG_BIND_MAP => In(Of(layout! { 0 prog_fd: Fd, 4 map_fd: Fd, 8 flags: X(4) })),
        BPF_TOKEN_CREATE => In(Of(layout! { 0 flags: X(4), 4 bpffs_fd: Fd })),
    } else In(Rest);

    /// `landlock_add_rule`'s rule.
    LANDLOCK_RULE "landlock_rule_attr" by t::LANDLOCK_RULE, on(1), Copied::Bytes(12) => {
        LANDLOCK_RULE_PATH_BENEATH => In(Of(layout! { 0 allowed_access: Flags(8, &t::LANDLOCK_FS), 8 parent_fd: Fd })),
        LANDLOCK_RULE_NET_PORT => In(Of(layout! { 0 allowed_access: Flags(8, &t::LANDLOCK_NET), 8 port: U(4) })),
    } else Word(X(8));

    /// `fsconfig`'s value.
    FSCONFIG "fsconfig_value" by t::FSCONFIG, on(1), Copied::Text(256) => {
        FSCONFIG_SET_STRING FSCONFIG_SET_PATH FSCONFIG_SET_PATH_EMPTY => In(Text(256)),
        FSCONFIG_SET_FLAG FSCONFIG_SET_FD FSCONFIG_CMD_CREATE FSCONFIG_CMD_RECONFIGURE FSCONFIG_CMD_CREATE_EXCL => Idle,
    } else Word(X(8));

    /// `fsconfig`'s last argument.
    FSCONFIG_AUX "fsconfig_aux" by t::FSCONFIG, on(1), Copied::Nothing => {
        FSCONFIG_SET_PATH FSCONFIG_SET_PATH_EMPTY FSCONFIG_SET_FD => Word(Fd),
        FSCONFIG_SET_BINARY => Word(I(4)),
    } else Idle;

    /// `quotactl`'s last argument.
    QUOTACTL "quotactl" by t::QUOTA, On { arg: 0, mask: 0xffff_ff00, shift: 8, under: false }, Copied::Bytes(72) => {
        Q_QUOTAON => In(Text(72)),
        Q_QUOTAOFF Q_SYNC Q_XQUOTASYNC => Idle,
        Q_GETQUOTA Q_GETNEXTQUOTA => Out(DQBLK),
        Q_SETQUOTA => In(DQBLK),
        Q_GETFMT => Out(At(&Enum(4, &t::QFMT))),
        Q_GETINFO => Out(DQINFO),
        Q_SETINFO => In(DQINFO),
    } else Word(X(8));

    /// `quotactl_fd`'s last argument.
    QUOTACTL_FD "quotactl_fd" by t::QUOTA, On { arg: 1, mask: 0xffff_ff00, shift: 8, under: false }, Copied::Bytes(72) => {
        Q_QUOTAON => In(Text(72)),
        Q_QUOTAOFF Q_SYNC Q_XQUOTASYNC => Idle,
        Q_GETQUOTA Q_GETNEXTQUOTA => Out(DQBLK),
        Q_SETQUOTA => In(DQBLK),
        Q_GETFMT => Out(At(&Enum(4, &t::QFMT))),
        Q_GETINFO => Out(DQINFO),
        Q_SETINFO => In(DQINFO),
    } else Word(X(8));

    /// A command of `quotactl`.
    QCMD "qcmd" by t::QUOTA, on(0), Copied::Nothing => {
    } else Word(Quota);

    /// `shmctl`'s last argument.
    SHMCTL "shmctl" by t::SHMCTL, IPC_COMMAND, Copied::Bytes(112) => {
        IPC_STAT SHM_STAT SHM_STAT_ANY => Out(SHMID),
        IPC_SET => In(SHMID),
        IPC_INFO => Out(Of(layout! { 0 shmmax: U(8), 8 shmmin: U(8), 16 shmmni: U(8), 24 shmseg: U(8), 32 shmall: U(8) })),
        SHM_INFO => Out(Of(layout! {
            0 used_ids: I(4), 8 shm_tot: U(8), 16 shm_rss: U(8), 24 shm_swp: U(8), 32 swap_attempts: U(8),
            40 swap_successes: U(8),
        })),
        IPC_RMID SHM_LOCK SHM_UNLOCK => Idle,
    } else Word(X(8));

    /// `msgctl`'s last argument.
    MSGCTL "msgctl" by t::MSGCTL, IPC_COMMAND, Copied::Bytes(120) => {
        IPC_STAT MSG_STAT MSG_STAT_ANY => Out(MSQID),
        IPC_SET => In(MSQID),
        IPC_INFO MSG_INFO => Out(Of(layout! {
            0 msgpool: I(4), 4 msgmap: I(4), 8 msgmax: I(4), 12 msgmnb: I(4), 16 msgmni: I(4), 20 msgssz: I(4),
            24 msgtql: I(4), 28 msgseg: U(2),
        })),
        IPC_RMID => Idle,
    } else Word(X(8));

    /// `semctl`'s last argument.
    SEMCTL "semctl" by t::SEMCTL, On { arg: 2, mask: 0xff, shift: 0, under: false }, Copied::Bytes(104) => {
        SETVAL => Word(I(4)),
        IPC_STAT SEM_STAT SEM_STAT_ANY => Out(SEMID),
        IPC_SET => In(SEMID),
        IPC_INFO SEM_INFO => Out(Of(layout! {
            0 semmap: I(4), 4 semmni: I(4), 8 semmns: I(4), 12 semmnu: I(4), 16 semmsl: I(4), 20 semopm: I(4),
            24 semume: I(4), 28 semusz: I(4), 32 semvmx: I(4), 36 semaem: I(4),
        })),
        IPC_RMID GETPID GETVAL GETNCNT GETZCNT => Idle,
    } else Word(X(8));

    /// `keyctl`'s second argument.
    KEYCTL2 "keyctl2" by t::KEYCTL, on(0), Copied::Text(128) => {
        KEYCTL_JOIN_SESSION_KEYRING => In(Text(128)),
        KEYCTL_SET_REQKEY_KEYRING => Word(Enum(4, &t::KEY_REQKEY)),
        KEYCTL_GET_PERSISTENT => Word(I(4)),
        KEYCTL_SESSION_TO_PARENT => Idle,
        KEYCTL_DH_COMPUTE KEYCTL_PKEY_ENCRYPT KEYCTL_PKEY_DECRYPT KEYCTL_PKEY_SIGN KEYCTL_PKEY_VERIFY
            KEYCTL_CAPABILITIES => Word(X(8)),
    } else Word(Enum(4, &t::KEY));

    /// `keyctl`'s third argument.
    KEYCTL3 "keyctl3" by t::KEYCTL, on(0), Copied::Text(128) => {
        KEYCTL_SEARCH KEYCTL_RESTRICT_KEYRING => In(Text(128)),
        KEYCTL_DESCRIBE KEYCTL_GET_SECURITY => Out(Text(128)),
        KEYCTL_LINK KEYCTL_UNLINK KEYCTL_MOVE KEYCTL_GET_PERSISTENT => Word(Enum(4, &t::KEY)),
        KEYCTL_CHOWN => Word(I(4)),
        KEYCTL_SETPERM => Word(X(4)),
        KEYCTL_GET_KEYRING_ID => Word(I(4)),
        KEYCTL_SET_TIMEOUT KEYCTL_NEGATE KEYCTL_REJECT KEYCTL_CAPABILITIES => Word(U(8)),
        KEYCTL_READ KEYCTL_UPDATE KEYCTL_INSTANTIATE KEYCTL_INSTANTIATE_IOV KEYCTL_DH_COMPUTE KEYCTL_PKEY_QUERY
            KEYCTL_PKEY_ENCRYPT KEYCTL_PKEY_DECRYPT KEYCTL_PKEY_SIGN KEYCTL_PKEY_VERIFY KEYCTL_WATCH_KEY => Word(X(8)),
    } else Idle;

    /// `keyctl`'s fourth argument.
    KEYCTL4 "keyctl4" by t::KEYCTL, on(0), Copied::Text(128) => {
        KEYCTL_SEARCH KEYCTL_RESTRICT_KEYRING => In(Text(128)),
        KEYCTL_MOVE KEYCTL_NEGATE => Word(Enum(4, &t::KEY)),
        KEYCTL_CHOWN => Word(I(4)),
        KEYCTL_REJECT => Word(Errno),
        KEYCTL_READ KEYCTL_DESCRIBE KEYCTL_GET_SECURITY KEYCTL_UPDATE KEYCTL_INSTANTIATE KEYCTL_INSTANTIATE_IOV
            KEYCTL_DH_COMPUTE => Word(U(8)),
        KEYCTL_PKEY_QUERY KEYCTL_PKEY_ENCRYPT KEYCTL_PKEY_DECRYPT KEYCTL_PKEY_SIGN KEYCTL_PKEY_VERIFY
            KEYCTL_WATCH_KEY => Word(X(8)),
    } else Idle;

    /// `keyctl`'s fifth argument.
    KEYCTL5 "keyctl5" by t::KEYCTL, on(0), Copied::Nothing => {
        KEYCTL_SEARCH KEYCTL_INSTANTIATE KEYCTL_INSTANTIATE_IOV KEYCTL_REJECT => Word(Enum(4, &t::KEY)),
        KEYCTL_MOVE KEYCTL_DH_COMPUTE KEYCTL_PKEY_QUERY KEYCTL_PKEY_ENCRYPT KEYCTL_PKEY_DECRYPT KEYCTL_PKEY_SIGN
            KEYCTL_PKEY_VERIFY => Word(X(8)),
    } else Idle;

    /// `io_uring_enter`'s argument: a set of signals, or with a flag more than that.
    IO_URING_ARG "io_uring_arg" by t::IO_URING_ENTER, On { arg: 3, mask: 8, shift: 0, under: false }, Copied::Counted(Len::Arg(5), 24) => {
        IORING_ENTER_EXT_ARG => In(Of(layout! { 0 sigmask: X(8), 8 sigmask_sz: U(4), 12 min_wait_usec unless 0: U(4), 16 ts: X(8) })),
    } else In(Sigset);

    /// `io_uring_register`'s argument.
    IO_URING_REGISTER "io_uring_register_arg" by t::IO_URING_REGISTER, On { arg: 1, mask: 0x7fff_ffff, shift: 0, under: false }, Copied::Bytes(32) => {
        IORING_REGISTER_EVENTFD IORING_REGISTER_EVENTFD_ASYNC => In(At(&Fd)),
        IORING_UNREGISTER_BUFFERS IORING_UNREGISTER_FILES IORING_UNREGISTER_EVENTFD IORING_REGISTER_ENABLE_RINGS
            IORING_REGISTER_PERSONALITY IORING_UNREGISTER_PERSONALITY IORING_UNREGISTER_IOWQ_AFF => Idle,
        IORING_REGISTER_FILES_UPDATE => In(FILES_UPDATE),
        IORING_REGISTER_FILES2 IORING_REGISTER_BUFFERS2 => In(Of(layout! {
            0 nr: U(4), 4 flags: X(4), 16 data: X(8), 24 tags: X(8),
        })),
        IORING_REGISTER_IOWQ_MAX_WORKERS => In(List(&U(4), 2)),
        IORING_REGISTER_PBUF_RING IORING_UNREGISTER_PBUF_RING => In(Of(layout! {
            0 ring_addr: X(8), 8 ring_entries: U(4), 12 bgid: U(2), 14 flags: X(2),
        })),
        IORING_REGISTER_RING_FDS IORING_UNREGISTER_RING_FDS => In(Of(layout! { 0 offset: U(4), 8 data: U(8) })),
        IORING_REGISTER_FILE_ALLOC_RANGE => In(Of(layout! { 0 off: U(4), 4 len: U(4) })),
        IORING_REGISTER_CLOCK => In(Of(layout! { 0 clockid: Enum(4, &t::CLOCK) })),
        IORING_REGISTER_CLONE_BUFFERS => In(Of(layout! {
            0 src_fd: Fd, 4 flags: X(4), 8 src_off: U(4), 12 dst_off: U(4), 16 nr: U(4),
        })),
    } else Word(X(8));

    /// `syslog`'s buffer, which only some actions fill.
    SYSLOG "syslog_buf" by t::SYSLOG, on(0), Copied::Counted(Len::Ret, 256) => {
        SYSLOG_ACTION_READ SYSLOG_ACTION_READ_ALL SYSLOG_ACTION_READ_CLEAR => Out(Rest),
    } else Idle;

    /// `reboot`'s last argument.
    REBOOT "reboot_arg" by t::REBOOT, on(2), Copied::Text(256) => {
        LINUX_REBOOT_CMD_RESTART2 => In(Text(256)),
    } else Idle;

    /// `kcmp`'s first thing to compare.
    KCMP1 "kcmp1" by t::KCMP, on(2), Copied::Nothing => {
        KCMP_FILE KCMP_EPOLL_TFD => Word(I(4)),
    } else Idle;

    /// `kcmp`'s second thing to compare.
    KCMP2 "kcmp2" by t::KCMP, on(2), Copied::Bytes(12) => {
        KCMP_FILE => Word(I(4)),
        KCMP_EPOLL_TFD => In(Of(layout! { 0 efd: U(4), 4 tfd: U(4), 8 toff: U(4) })),
    } else Idle;

    /// `membarrier`'s result.
    MEMBARRIER_RESULT "membarrier_result" by t::MEMBARRIER, on(0), Copied::Nothing => {
        MEMBARRIER_CMD_QUERY MEMBARRIER_CMD_GET_REGISTRATIONS => Word(Flags(4, &t::MEMBARRIER)),
    } else Word(I(4));
}

const TERMIOS: Is = *Struct::Termios.layout(Arch::X86_64);
const WINSIZE: Is = *Struct::Winsize.layout(Arch::X86_64);
const SOCKET_OPTION: On = On { arg: 2, mask: 0xffff_ffff, shift: 0, under: true };
const LINGER: Is = Is::Of(layout! { 0 l_onoff: I(4), 4 l_linger: I(4) });
const FSXATTR: Is = Is::Of(layout! {
    0 fsx_xflags: Flags(4, &t::FS_XFLAGS), 4 fsx_extsize: U(4), 8 fsx_nextents: U(4), 12 fsx_projid: U(4),
    16 fsx_cowextsize: U(4),
});
/// Without the names, which are longer than what is copied.
const LOOP_INFO: Is = Is::Of(layout! {
    8 lo_inode: U(8), 24 lo_offset: U(8), 32 lo_sizelimit: U(8), 40 lo_number: U(4),
    52 lo_flags: Flags(4, &t::LO_FLAGS),
});
const RTC_TIME: Is = Is::Of(layout! {
    20 tm_year: I(4), 16 tm_mon: I(4), 12 tm_mday: I(4), 8 tm_hour: I(4), 4 tm_min: I(4), 0 tm_sec: I(4),
});
const DQINFO: Is =
    Is::Of(layout! { 0 dqi_bgrace: U(8), 8 dqi_igrace: U(8), 16 dqi_flags: X(4), 20 dqi_valid: X(4) });
const SHMID: Is = Is::Of(layout! {
    0 shm_perm: Of(PERM), 48 shm_segsz: U(8), 56 shm_atime: I(8), 64 shm_dtime: I(8), 72 shm_ctime: I(8),
    80 shm_cpid: I(4), 84 shm_lpid: I(4), 88 shm_nattch: U(8),
});
const MSQID: Is = Is::Of(layout! {
    0 msg_perm: Of(PERM), 48 msg_stime: I(8), 56 msg_rtime: I(8), 64 msg_ctime: I(8), 72 msg_cbytes: U(8),
    80 msg_qnum: U(8), 88 msg_qbytes: U(8), 96 msg_lspid: I(4), 100 msg_lrpid: I(4),
});
/// On x86_64 a word that is not used stands behind each time (arch/x86/include/uapi/asm/sembuf.h).
const SEMID: Is = if cfg!(target_arch = "x86_64") {
    Is::Of(layout! { 0 sem_perm: Of(PERM), 48 sem_otime: I(8), 64 sem_ctime: I(8), 80 sem_nsems: U(8) })
} else {
    Is::Of(layout! { 0 sem_perm: Of(PERM), 48 sem_otime: I(8), 56 sem_ctime: I(8), 64 sem_nsems: U(8) })
};

/// The choice with this name.
pub fn by_name(name: &str) -> Option<&'static Choice> {
    ALL.iter().copied().find(|c| c.name == name)
}
