"""The bytes of streams beside their records, and the packets that carried them."""
