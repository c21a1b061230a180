"""The web pages: server-rendered, working without JavaScript, and with no powers of their own."""
