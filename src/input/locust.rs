//! Locust's own results: CSV tables and JSON.
