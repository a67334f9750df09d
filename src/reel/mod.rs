//! reel
