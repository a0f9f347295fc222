# SPDX-License-Identifier: Apache-2.0
"""The lab: one honest instrument for measuring programs. ``penstock lab`` is its command line."""
