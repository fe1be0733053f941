/* query.h - what all requests of reads and all replies to them have in common: field 1, the options
 * or the meta (read.proto). For rows of struct catalog_query. */
#ifndef CATALOG_RPC_QUERY_H
#define CATALOG_RPC_QUERY_H

#include "proto/curia/v1/read.pb-c.h"

const Curia__V1__ReadOptions *catalog_query_options(const ProtobufCMessage *in);
void catalog_query_set_options(ProtobufCMessage *in, Curia__V1__ReadOptions *options);
void catalog_query_set_meta(ProtobufCMessage *reply, Curia__V1__ReadMeta *meta);

#endif
