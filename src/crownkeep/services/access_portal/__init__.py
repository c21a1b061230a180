"""The access portal as people use it in a browser: what they may take, and which programs may act for them."""
