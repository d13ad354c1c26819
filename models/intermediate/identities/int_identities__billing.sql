{{ anchor_records('billing', ['int_identities__accounts']) }}
