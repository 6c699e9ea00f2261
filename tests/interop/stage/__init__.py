# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the tests of this directory share: registries, peers, and people with kits."""
