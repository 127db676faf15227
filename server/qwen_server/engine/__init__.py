"""What turns a prompt into text: one Protocol, the real engine and a scripted one."""
