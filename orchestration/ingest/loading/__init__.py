"""The load: deliveries into raw tables, refused rows into quarantine, what is in force."""
