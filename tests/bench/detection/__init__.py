"""The rate of genchi's false alarms, and which changes it detects on the first night."""
