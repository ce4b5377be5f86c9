//! The laws of AWS, each with a name, where AWS says so, and whether this cloud holds it.
//!
//! An error raised by a law ends with ` [law R2]`, so that a reader of a failed rehearsal finds the page behind it.

use std::fmt;

macro_rules! laws {
    ($($id:ident $enforced:ident $title:literal, $source:literal;)*) => {
        /// A rule of AWS that the rehearsal cloud knows by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum Law { $($id),* }

        impl Law {
            /// Every law, in order.
            pub const ALL: &'static [Law] = &[$(Law::$id),*];

            /// What the law says.
            pub const fn title(self) -> &'static str {
                match self { $(Law::$id => $title),* }
            }

            /// The page of AWS's documentation that says so.
            pub const fn source(self) -> &'static str {
                match self { $(Law::$id => $source),* }
            }

            /// Who holds it in a rehearsal.
            pub const fn enforced(self) -> Enforced {
                match self { $(Law::$id => Enforced::$enforced),* }
            }

            /// The id, such as `R2`.
            pub const fn id(self) -> &'static str {
                match self { $(Law::$id => stringify!($id)),* }
            }
        }
    };
}

/// Who holds a law in a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforced {
    /// An API of this cloud refuses what breaks it.
    Api,
    /// The balancer, name server, CDN or database behaves so.
    Data,
    /// Only the real AWS can tell; the plan and preflight look for it.
    No,
}

laws! {
    R1 Api "simple and weighted records of one name and type never coexist; a batch is all or nothing",
        "Route 53 API: ChangeResourceRecordSets";
    R2 Api "DELETE needs the exact current values", "Route 53 API: ChangeResourceRecordSets";
    R3 Api "weights are 0 to 255; all zero means all equal", "Route 53 guide: routing-policy-weighted";
    R4 Data "EvaluateTargetHealth on an alias to a balancer follows its target groups' health",
        "Route 53 guide: resource-record-sets-values-weighted-alias";
    R5 Api "one TTL in a weighted group, none on an alias, no CNAME at the apex",
        "Route 53 guide: resource-record-sets-values-weighted";
    R6 No "lower the TTL first and wait out the old one", "Route 53 guide: migrate-dns-domain-in-use";
    R7 Api "a change is PENDING until every authoritative server has it", "Route 53 API: GetChange";
    R8 Api "1,000 ResourceRecord elements a batch, UPSERT twice; five requests a second", "Route 53 guide: DNSLimitations";
    R9 Data "a zone that is not delegated to answers nobody", "Route 53 guide: domain-name-servers-glue-records";
    L1 Api "ip targets lie in the VPC, RFC 1918 or 100.64.0.0/10; outside the VPC the zone is `all`",
        "ELB guide: load-balancer-target-groups";
    L2 Api "forward weights are 0 to 999, five target groups at most", "ELBv2 API: ForwardActionConfig, TargetGroupTuple";
    L3 Data "a group whose every target is unhealthy fails open", "ELB guide: target-group-health-checks";
    L4 Api "deregistration takes its delay; a group nobody uses shows `unused`", "ELB guide: target-group-health-checks";
    L5 Api "a balancer has two subnets in two Availability Zones", "ELB guide: application-load-balancers";
    L6 Data "the idle timeout is 60 s unless set", "ELB guide: edit-load-balancer-attributes";
    L7 Data "80 to 443 is a redirect at the listener", "ELB guide: rule-action-types";
    L8 Api "instance targets lie in the same VPC and their image fits their architecture", "ELB guide: target-group-register-targets";
    C1 Api "a balancer's certificate lies in the balancer's region, a distribution's in us-east-1",
        "ELB guide: https-listener-certificates";
    C2 Api "a policy that makes a bucket public is refused under Block Public Access",
        "S3 guide: access-control-block-public-access";
    C3 Data "without s3:ListBucket a missing key answers 403", "S3 API: GetObject";
    C4 Api "an alternate domain name belongs to one distribution, and needs a certificate that names it",
        "CloudFront API: CreateDistribution, ListConflictingAliases";
    C5 Data "a cached object stays for a day unless its Cache-Control says otherwise", "CloudFront guide: Expiration";
    C6 Api "3,000 paths and 15 wildcards of invalidations in flight; a distribution deploys for minutes",
        "CloudFront guide: cloudfront-limits";
    C7 Api "conditional writes answer 412", "S3 guide: conditional-writes";
    O1 No "the Origin of a request is the page's, on both sides alike", "Fetch standard: CORS protocol";
    D1 Api "a subnet group spans two zones; 5432 is open to the app's security group", "RDS guide: USER_VPC.WorkingWithRDSInstanceinaVPC";
    D2 Data "rds.force_ssl is 1 from PostgreSQL 15 on", "RDS guide: PostgreSQL.Concepts.General.SSL";
    D3 Data "a static parameter needs a reboot, and the master is no superuser", "RDS guide: USER_WorkingWithParamGroups";
    D4 Data "only the extensions RDS ships; its collations are another C library's",
        "RDS release notes: PostgreSQL extensions";
    M1 No "what the new pieces cost a month is said before they are made", "AWS pricing pages";
    M2 No "a burstable instance runs on CPU credits", "EC2 guide: burstable-performance-instances";
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law {}", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_law_has_a_source_and_its_own_id() {
        let ids: std::collections::BTreeSet<_> = Law::ALL.iter().map(|l| l.id()).collect();
        assert_eq!(ids.len(), Law::ALL.len());
        assert!(Law::ALL.iter().all(|l| !l.source().is_empty() && !l.title().is_empty()));
    }
}
