"""How often genchi cries when nothing happened, and what it sees the first night."""
