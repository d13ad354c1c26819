{{ anchor_records('product', ['int_identities__accounts', 'int_identities__billing', 'int_identities__support']) }}
