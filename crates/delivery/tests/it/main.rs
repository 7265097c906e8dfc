//! Tests of the address guard and of the sender, as one program.

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod endpoint;
#[cfg(test)]
mod exchanges;
#[cfg(test)]
mod guarded;
