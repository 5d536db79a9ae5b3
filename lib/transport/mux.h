/* SPDX-License-Identifier: MIT */
/*
 * mux: the control socket of an ssh master in its proxy mode (PROTOCOL.mux of OpenSSH): the packets
 * of the connection protocol (RFC 4254) in the clear, which the master hands on. So a command's
 * status, signal and refusal arrive as the server told them. Used by one thread at a time.
 */
#ifndef TRANSPORT_MUX_H
#define TRANSPORT_MUX_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct mux {
	int fd; /* -1: not connected, or the connection has ended */
	struct str in;
	size_t taken;      /* bytes of `in` that are done with */
	struct str out;    /* packets to be sent, ... */
	size_t sent;       /* ... how much of them is, ... */
	struct bytes body; /* ... what follows them, borrowed, ... */
	struct str later;  /* ... and the packets behind that */
	uint32_t channels; /* opened so far: each has a number of its own */
};

struct mux_packet {
	unsigned char type;
	struct bytes body; /* borrowed until the next mux_receive */
};

enum mux_connected {
	MUX_CONNECTED,
	MUX_NOT_YET, /* nobody listens at the path */
	MUX_REFUSED, /* it is no master that can be a proxy, or it does not answer in time */
};

/* *m, which is not connected, becomes the connection. */
enum mux_connected mux_connect(struct mux *m, const char *path, int64_t until);
void mux_close(struct mux *m);

/* Put a packet behind those that wait; nothing is sent yet. */
void mux_put(struct mux *m, unsigned char type, struct bytes body);
/*
 * Data for the server's channel, neither copied nor kept: borrowed until mux_is_sent or mux_close.
 * Only when mux_is_sent.
 */
void mux_put_data(struct mux *m, uint32_t channel, struct bytes data);
/* Everything is in the master's hands. */
bool mux_is_sent(const struct mux *m);

/* Send what the master takes at once. */
void mux_send(struct mux *m);
/* The same, and read what has come: then take the packets, and wait. The end closes `fd`. */
void mux_pump(struct mux *m);
/* The next whole packet; false if there is none yet. */
bool mux_take(struct mux *m, struct mux_packet *out);
/* Sleep until there is news, or room for what is not sent; false when `until` is over. */
bool mux_wait(const struct mux *m, int64_t until);

/* The fields of packets. The takers are false, and change nothing, if there is less. */
void mux_add_u32(struct str *to, uint32_t n);
void mux_add_string(struct str *to, struct bytes b);
bool mux_take_u32(struct bytes *from, uint32_t *out);
bool mux_take_string(struct bytes *from, struct bytes *out);

#endif
