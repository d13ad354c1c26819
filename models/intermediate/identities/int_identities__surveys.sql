{{ anchor_records('surveys', ['int_identities__accounts', 'int_identities__billing', 'int_identities__support', 'int_identities__product']) }}
