/* SPDX-License-Identifier: MIT */
/*
 * packet_size: does the server take packets that libssh can write? It takes ten bytes for its headers
 * off what the server calls the maximum packet size of a channel, and where nothing is left
 * its ssh_channel_write never returns (libssh 0.10 and before). It keeps that size to itself, but for
 * its log, which is of this thread alone.
 */
#ifndef TRANSPORT_PACKET_SIZE_H
#define TRANSPORT_PACKET_SIZE_H

#include <stdbool.h>

/* From now on, in this thread. */
void packet_size_watch(void);
/* No longer; what was seen stays. */
void packet_size_leave(void);

/* No channel that was opened since packet_size_watch takes packets of less than PACKET_SIZE_LEAST bytes. */
bool packet_size_is_enough(void);

/* RFC 4253 asks for 32768; no server that is used has less than some thousands. */
#define PACKET_SIZE_LEAST 256

#endif
