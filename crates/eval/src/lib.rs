//! The ruler.
