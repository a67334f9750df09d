//! Services by port, so that a capture reads the same everywhere and no file of the host is asked.
//!
//! Enters: a port or a name. Leaves: the other. Never: /etc/services; a port says what is usual, not what is there.

/// Every service: name and port. The first name of a port is the one that is shown.
pub const ALL: &[(&str, u16)] = &[
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("dns", 53),
    ("dhcp", 67),
    ("tftp", 69),
    ("http", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("sunrpc", 111),
    ("ntp", 123),
    ("imap", 143),
    ("snmp", 161),
    ("bgp", 179),
    ("ldap", 389),
    ("https", 443),
    ("submissions", 465),
    ("syslog", 514),
    ("submission", 587),
    ("ldaps", 636),
    ("rsync", 873),
    ("imaps", 993),
    ("pop3s", 995),
    ("nfs", 2049),
    ("etcd", 2379),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("postgres", 5432),
    ("amqp", 5672),
    ("redis", 6379),
    ("kubernetes", 6443),
    ("memcached", 11211),
    ("mongodb", 27017),
];

/// The port of a service.
pub fn port_of(name: &str) -> Option<u16> {
    ALL.iter().find(|(n, _)| *n == name).map(|(_, port)| *port)
}

/// The service that a port is known for.
pub fn name_of(port: u16) -> Option<&'static str> {
    ALL.iter().find(|(_, p)| *p == port).map(|(name, _)| *name)
}
