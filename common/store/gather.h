/* gather.h - a layer under SQLite that writes a write-ahead log in large pieces.
 *
 * SQLite writes each frame with two calls, its head of 24 bytes and its page. A commit of 30 pages
 * is 60 calls; here it is one. Gathered is only what the format says is unseen: frames up to the
 * one that commits, which is written with all before it before the call returns. So whoever sees
 * the commit in the shared index finds its frames in the file, and a crash leaves a prefix of what
 * SQLite wrote, as without the layer. Everything else passes through, in order. */
#ifndef CU_STORE_GATHER_H
#define CU_STORE_GATHER_H

/* SQLite's file layer for Unix takes less than 128 KiB in one call. */
enum { CU_GATHER_BYTES_MAX = 124 * 1024 };

/* The layer over `base` (NULL: the default one), registered at the first call; its name lasts for
 * the life of the process. NULL: there is no layer `base`. Any thread. */
const char *cu_gather_vfs(const char *base);

#endif
