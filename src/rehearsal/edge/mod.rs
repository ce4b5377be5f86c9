//! The data plane: balancer, name server and CDN acting on the state.
