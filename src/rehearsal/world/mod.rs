//! The cloud, the copy of the box, the new hosts, the databases, the visitors and the ledger, as one process.
