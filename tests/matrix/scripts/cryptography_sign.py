# SPDX-License-Identifier: Apache-2.0
"""python3-cryptography loads the key and signs. cryptography_sign.py KEY"""
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

with open(sys.argv[1], "rb") as file:
    key = serialization.load_pem_private_key(file.read(), None)
if isinstance(key, ec.EllipticCurvePrivateKey):
    signature = key.sign(b"x", ec.ECDSA(hashes.SHA256()))
    key.public_key().verify(signature, b"x", ec.ECDSA(hashes.SHA256()))
else:
    signature = key.sign(b"x", padding.PKCS1v15(), hashes.SHA256())
    key.public_key().verify(signature, b"x", padding.PKCS1v15(),
                            hashes.SHA256())
