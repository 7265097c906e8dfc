//! Tests of the address guard, of the sender and of the delivery loop, as one program.

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod endpoint;
#[cfg(test)]
mod exchanges;
#[cfg(test)]
mod guarded;
#[cfg(test)]
mod order;
#[cfg(test)]
mod worlds;
