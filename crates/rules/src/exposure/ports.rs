//! How bad it is that everybody reaches a port.

use crate::Severity;

/// Ports of databases, caches, brokers and control planes: made for neighbours, not for the world.
const INTERNAL: [(u16, &str); 27] = [
    (22, "SSH"),
    (23, "Telnet"),
    (445, "SMB"),
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (2049, "NFS"),
    (2375, "the Docker API"),
    (2376, "the Docker API"),
    (2377, "Docker Swarm"),
    (2379, "etcd"),
    (2380, "etcd"),
    (3306, "MySQL or MariaDB"),
    (3389, "remote desktop"),
    (4444, "Galera"),
    (4567, "Galera"),
    (5432, "PostgreSQL"),
    (5672, "RabbitMQ"),
    (5900, "VNC"),
    (5984, "CouchDB"),
    (6379, "Redis"),
    (9042, "Cassandra"),
    (9092, "Kafka"),
    (9200, "Elasticsearch"),
    (10250, "kubelet"),
    (11211, "memcached"),
    (15672, "RabbitMQ's management"),
    (27017, "MongoDB"),
];

/// Ports that are there for the world.
const PUBLIC: [u16; 4] = [80, 443, 8080, 8443];

/// What usually listens on a port that should not be public.
pub(crate) fn internal_service(port: u16) -> Option<&'static str> {
    INTERNAL.iter().find(|(number, _)| *number == port).map(|(_, service)| *service)
}

/// How bad it is that this port of the container is open on every interface.
pub(crate) fn severity(port: u16) -> Severity {
    match port {
        port if internal_service(port).is_some() => Severity::High,
        port if PUBLIC.contains(&port) => Severity::Low,
        _ => Severity::Medium,
    }
}
