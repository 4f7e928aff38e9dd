"""What records say of an exchange: judged here, shown by the views."""
