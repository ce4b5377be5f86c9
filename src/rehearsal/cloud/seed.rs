//! What a rehearsal finds in its account before it starts: a network, a zone, a balancer, a distribution, a database.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::super::state::{ACCOUNT, Action, Balancer, Certificate, DatabaseInstance, Listener, RecordSet, Zone};
use super::{Cloud, ec2, elb, fresh, iso, route53};

impl Cloud {
    /// Makes a VPC of two subnets, the halves of `cidr`, in the region's zones `a` and `b`, with an internet gateway and
    /// what else every VPC has; gives the subnets' ids.
    pub fn seed_network(&self, vpc: &str, cidr: (Ipv4Addr, u8)) -> [String; 2] {
        let region = &self.settings().region;
        let prefix = (cidr.1 + 1).min(32);
        let half = 1_u32.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        let second = Ipv4Addr::from(u32::from(cidr.0).wrapping_add(half));
        let mut state = self.shared().lock();
        ec2::new_vpc(&mut state, vpc, cidr, false);
        ec2::seed_gateway(&mut state, vpc);
        let ids = [(cidr.0, 'a'), (second, 'b')]
            .map(|(first, zone)| ec2::new_subnet(&mut state, vpc, &format!("{region}{zone}"), (first, prefix)));
        drop(state);
        self.shared().changed();
        ids
    }

    /// Makes what a new account has in every region: a VPC of 172.31.0.0/16 with a /20 subnet in each zone; gives the
    /// VPC's id. Source: VPC guide: default-vpc.
    pub fn seed_default_network(&self) -> String {
        let vpc = ec2::new_default_vpc(&mut self.shared().lock(), &self.settings().region);
        self.shared().changed();
        vpc
    }

    /// Enters a host that is there already as a running instance, at its address in a subnet of the network; gives its
    /// id, or none when no subnet holds the address.
    pub fn seed_instance(&self, name: &str, address: Ipv4Addr) -> Option<String> {
        let now = self.shared().clock.now();
        let id = ec2::seed_instance(&mut self.shared().lock(), name, address, now);
        self.shared().changed();
        id
    }

    /// Makes a hosted zone with these records beside its NS and SOA; gives its id.
    pub fn seed_zone(&self, name: &str, records: impl IntoIterator<Item = RecordSet>) -> String {
        let id = format!("Z{}", fresh().to_uppercase());
        let mut zone: Zone = route53::new_zone(name, true);
        zone.records.extend(records);
        self.shared().lock().zones.insert(id.clone(), zone);
        self.shared().changed();
        id
    }

    /// Makes an Application Load Balancer in these subnets whose edge listens on `address`; gives its ARN.
    pub fn seed_balancer(&self, name: &str, address: IpAddr, subnets: &[String]) -> String {
        let (arn, balancer) = elb::new_balancer(&self.settings().region, name, address);
        let mut state = self.shared().lock();
        let vpc = state.subnets.get(subnets.first().map_or("", String::as_str)).map(|s| s.vpc.clone());
        let vpc = vpc.unwrap_or_default();
        let group = ec2::default_group(&state, &vpc).cloned().unwrap_or_default();
        let facts = BTreeMap::from([
            ("created".to_owned(), iso(self.shared().clock.now())),
            ("subnets".to_owned(), subnets.join(",")),
            ("vpc".to_owned(), vpc),
            ("security_groups".to_owned(), group),
            ("scheme".to_owned(), "internet-facing".to_owned()),
        ]);
        state.balancers.insert(arn.clone(), Balancer { state: "active".into(), ..balancer });
        state.facts.insert(arn.clone(), facts);
        // A subnet without room for it makes no difference to a rehearsal: its edge listens on loopback.
        let _ = elb::take_addresses(&mut state, &arn);
        drop(state);
        self.shared().changed();
        arn
    }

    /// Makes a listener; gives its ARN.
    pub fn seed_listener(&self, balancer: &str, port: u16, certificate: Option<&str>, default: Action) -> String {
        let protocol = if certificate.is_some() { "HTTPS" } else { "HTTP" }.to_owned();
        let arn = elb::arn_below(balancer, "listener");
        let listener = Listener {
            balancer: balancer.into(),
            protocol,
            port,
            certificates: certificate.map(str::to_owned).into_iter().collect(),
            default_action: default,
            rules: BTreeMap::new(),
        };
        self.shared().lock().listeners.insert(arn.clone(), listener);
        self.shared().changed();
        arn
    }

    /// Makes a private bucket that only the distribution of this domain name may read (law C2), or nobody.
    ///
    /// # Errors
    /// When the name is taken, or the disk says no.
    pub fn seed_bucket(&self, name: &str, distribution: Option<&str>) -> std::io::Result<()> {
        let readable_by = |domain: &str| {
            let id = self.shared().lock().distributions.get(domain).map(|d| d.id.clone()).unwrap_or_default();
            serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudfront.amazonaws.com"},
                    "Action": "s3:GetObject",
                    "Resource": format!("arn:aws:s3:::{name}/*"),
                    "Condition": {"StringEquals": {
                        "AWS:SourceArn": format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{id}")
                    }}
                }]
            })
        };
        let policy = distribution.map(|domain| readable_by(domain).to_string());
        let now = self.shared().clock.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = u64::try_from(now).unwrap_or_default();
        self.objects().seed(name, &self.settings().region, policy, now)
    }

    /// Enters a database instance whose server is already there.
    pub fn seed_database(&self, id: &str, instance: DatabaseInstance) {
        let created = Some(self.shared().clock.now());
        self.shared().lock().databases.insert(id.into(), DatabaseInstance { created, ..instance });
        self.shared().changed();
    }

    /// Makes a certificate that ACM has issued for these names, the first of them its own; gives its ARN.
    pub fn seed_certificate(&self, names: &[&str]) -> String {
        let arn = format!("arn:aws:acm:{}:{ACCOUNT}:certificate/{}", self.settings().region, fresh());
        let certificate = Certificate::issued(names, self.shared().clock.now());
        self.shared().lock().certificates.insert(arn.clone(), certificate);
        self.shared().changed();
        arn
    }
}
