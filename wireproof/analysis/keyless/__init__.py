"""What the sizes and times of TLS records tell where nothing is decrypted."""
