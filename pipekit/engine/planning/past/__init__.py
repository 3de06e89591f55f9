"""What a dest keeps, or loses, of rows that the source no longer has as they were."""
