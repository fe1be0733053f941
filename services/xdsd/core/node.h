/* node.h - who is at the other end of a stream: what a discovery request says of its node (mesh.md
 * 6.2). Pure. */
#ifndef XDS_NODE_H
#define XDS_NODE_H

#include "common/base/err.h"
#include "envoy/config/core/v3/core.pb-c.h"

enum {
    XDS_NODE_TEXT_BYTES = 512,
    XDS_ENVOY_MAJOR_MIN = 1, /* mesh.md 2.10 */
    XDS_ENVOY_MINOR_MIN = 26,
};

struct xds_node {
    char id[XDS_NODE_TEXT_BYTES];   /* of the proxy's registration */
    char name[XDS_NODE_TEXT_BYTES]; /* of the node it is registered on; "": not said */
};

/* CU_E_INVALID with the sentence: no id, one that is too long, an Envoy that is too old. */
CU_MUST_USE enum cu_err xds_node_read(const Envoy__Config__Core__V3__Node *node,
                                      struct xds_node *ret_node, struct cu_diag *diag);

#endif
