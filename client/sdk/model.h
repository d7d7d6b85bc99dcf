/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_MODEL_H
#define SDK_MODEL_H

#include "base/bytes.h"

/** The network that makes vectors of pictures, an ONNX file within the library: client/model/. */
struct bytes model_get(void);

#endif
