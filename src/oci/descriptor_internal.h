// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_OCI_DESCRIPTOR_INTERNAL_H_
#define PLUMB_OCI_DESCRIPTOR_INTERNAL_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "oci/manifest.h"

namespace plumb::oci {

inline constexpr std::uint64_t kBlobSizeMax = std::uint64_t{1} << 62;

// `where` is for messages: "layer 3".
Result<Descriptor> DescriptorFromJson(const Json& json, const std::string& where);
// Empty if there is none.
Result<Annotations> AnnotationsFromJson(const Json* json, const std::string& where);
// Empty if there is none; kInvalid if it is no text.
Result<std::string> OptionalText(const Json& object, std::string_view name, std::string_view where);

// The items of a list that must be there; null is the empty list, as Go writes it.
Result<std::span<const Json>> ListMember(const Json& object, std::string_view name,
                                         std::string_view where);

// kInvalid for a member whose name differs in case only from one of `known`: programs in Go
// take the one for the other, and everybody who reads these bytes must see the same layers.
Status CheckMemberNames(const Json& object, std::span<const std::string_view> known,
                        std::string_view where);

// The same for the members of a descriptor.
Status CheckDescriptorNames(const Json& json, std::string_view where);

// An object of schemaVersion 2. `what` is for messages: "a manifest".
Result<Json> ParseVersion2(std::string_view bytes, std::string_view what);

Error Malformed(std::string_view what, std::string_view why);

}  // namespace plumb::oci

#endif  // PLUMB_OCI_DESCRIPTOR_INTERNAL_H_
