//! EC2 asked form by form, each law broken once.

mod gateways;
mod groups;
mod instances;
mod networks;
