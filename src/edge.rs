//! Cloudflare's runtime around the rest.
