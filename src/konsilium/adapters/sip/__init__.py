"""SIP, spoken by ourselves: small questions to equipment. Media is baresip's, a program of its own."""
