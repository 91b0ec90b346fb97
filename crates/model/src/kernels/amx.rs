//! stand-in
use super::panels::{Pair, Product};
pub(super) fn is_here() -> bool {
    false
}
pub(super) fn multiply(product: Product<'_, Pair>) {
    super::portable::multiply(product)
}
