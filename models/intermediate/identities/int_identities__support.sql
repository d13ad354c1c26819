{{ anchor_records('support', ['int_identities__accounts', 'int_identities__billing']) }}
